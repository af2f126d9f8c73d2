/** A port is opened, or it is said in words why not. */
import type { Server } from 'node:net'

export interface Place {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

/** Resolves with the port. Rejects with a sentence when it cannot be had; the server listens to nothing then. */
export const listen = async (server: Server, { host, port }: Place): Promise<number> => {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(new Error(listenWords(error, { host, port }), { cause: error }))
    server.once('error', failed)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', failed)
      resolve()
    })
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

/** "127.0.0.1:6667", "[::1]:6667" */
export const placeWords = ({ host, port }: Place): string => `${host.includes(':') ? `[${host}]` : host}:${port}`

/** Why a port cannot be had, and what to do. */
const listenWords = (error: NodeJS.ErrnoException, place: Place): string => {
  const where = placeWords(place)
  switch (error.code) {
    case 'EADDRINUSE':
      return `${where} is taken by another program: stop it, or choose another port`
    case 'EACCES':
      return `${where} may not be opened by this user: choose a port from 1024 on`
    case 'EADDRNOTAVAIL':
      return `${where} is no address of this machine: choose one that is, or 0.0.0.0`
    case 'ENOTFOUND':
      return `${where} cannot be found: check the name`
    case undefined:
    default:
      return `${where} cannot be opened (${error.code ?? error.message})`
  }
}
