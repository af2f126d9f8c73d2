/** A null server: gives back what it gets. */
import { once } from 'node:events'
import net from 'node:net'
import { answer } from '../processes.ts'

answer({
  start: async () => {
    const server = net.createServer({ noDelay: true }, (socket) => {
      socket.pipe(socket)
      socket.on('error', () => socket.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as net.AddressInfo).port
  },
})
