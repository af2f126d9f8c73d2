/** A client's side of DCC SEND, by hand: it listens and gives a file, or goes where it is told, and counts what is confirmed. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { IrcClient } from './irc-client.ts'

const LOOPBACK = 2_130_706_433

/** Offers a file to somebody and waits for who fetches it. Resolves when all of it is confirmed. */
export const offerFile = async (client: IrcClient, to: string, name: string, bytes: Buffer): Promise<void> => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  client.say(to, `\x01DCC SEND ${name} ${LOOPBACK} ${port} ${bytes.length}\x01`)
  const [socket] = (await once(server, 'connection')) as [Socket]
  server.close()
  await give(socket, bytes)
}

/** The same, where the other side listens. */
export const offerPassively = async (client: IrcClient, to: string, name: string, bytes: Buffer): Promise<void> => {
  client.say(to, `\x01DCC SEND ${name} ${LOOPBACK} 0 ${bytes.length} 17\x01`)
  const line = await client.next(
    new RegExp(`^:${to}!\\S+ PRIVMSG \\S+ :\x01DCC SEND \\S+ ${LOOPBACK} \\d+ \\d+ 17\x01$`),
  )
  const socket = connect(Number(line.split(' ')[7]), '127.0.0.1')
  await once(socket, 'connect')
  await give(socket, bytes)
}

const give = async (socket: Socket, bytes: Buffer): Promise<void> => {
  let said = Buffer.alloc(0)
  socket.write(bytes)
  for await (const chunk of socket as AsyncIterable<Buffer>) said = Buffer.concat([said, chunk])
  const last = said.length < 4 ? 0 : said.readUInt32BE(said.length - 4)
  if (last !== bytes.length) throw new Error(`${last} bytes of ${bytes.length} were confirmed`)
}
