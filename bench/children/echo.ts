/** A null server: gives back what it gets, or only holds its connections. */
import { once } from 'node:events'
import net from 'node:net'
import { answer, memoryInUse } from '../processes.ts'

async function listen(onSocket: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer({ noDelay: true }, onSocket)
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 })
  await once(server, 'listening')
  return (server.address() as net.AddressInfo).port
}

const ignore = (): void => undefined

answer({
  start: () =>
    listen((socket) => {
      socket.pipe(socket)
      socket.on('error', () => socket.destroy())
    }),
  /** The least that a connection can cost. */
  startSilent: () =>
    listen((socket) => {
      socket.on('data', ignore)
      socket.on('error', ignore)
    }),
  memory: () => memoryInUse(),
})
