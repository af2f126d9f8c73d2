import type { Socket } from 'node:net'

/** Bytes that are read before the first command must be complete. */
const MAX_BYTES = 8 * 1024
const LF = 10

export interface FirstCommandOptions {
  /** Milliseconds that the peer may take. */
  readonly withinMs: number
  /** The bytes are back in the socket, which is paused: attach what reads it, then `resume()`. */
  readonly onKnown: (who: 'notification' | 'switchboard') => void
  /** It ended, took too long or sent too much before a line was complete. */
  readonly onNone: (why: 'lost' | 'timeout' | 'too long') => void
}

/**
 * On a port that notification and switchboard connections share, the first command tells them apart: `ANS ..` and
 * `USR 1 alice@example.com ticket` belong to a switchboard.
 */
export function awaitFirstCommand(socket: Socket, { withinMs, onKnown, onNone }: FirstCommandOptions): void {
  const chunks: Buffer[] = []
  let length = 0
  const finish = (): void => {
    clearTimeout(timer)
    socket.pause()
    socket.off('data', received).off('close', lost).off('end', lost)
  }
  const lost = (): void => {
    finish()
    onNone('lost')
  }
  const received = (chunk: Buffer): void => {
    chunks.push(chunk)
    length += chunk.length
    const line = chunk.includes(LF) ? firstLine(Buffer.concat(chunks)) : undefined
    if (line === undefined && length <= MAX_BYTES) return
    finish()
    if (line === undefined) {
      onNone('too long')
      return
    }
    socket.unshift(Buffer.concat(chunks))
    onKnown(isSwitchboardCommand(line) ? 'switchboard' : 'notification')
  }
  const timer = setTimeout(() => {
    finish()
    onNone('timeout')
  }, withinMs)
  socket.on('error', ignore)
  socket.on('data', received).on('close', lost).on('end', lost)
}

/** It stays on the socket: as a closure it would keep all of the above with it. The 'close' that follows says enough. */
const ignore = (): void => undefined

/** The first line that holds anything; undefined while it has no end. */
function firstLine(bytes: Buffer): string | undefined {
  const text = bytes.toString('latin1')
  return /^[\r\n ]*([^\r\n]+?) *\r?\n/.exec(text)?.[1]
}

/** Whether a line opens a switchboard connection. */
export function isSwitchboardCommand(line: string): boolean {
  const [verb, , third] = line.split(/ +/)
  switch (verb?.toUpperCase() ?? '') {
    case 'ANS':
      return true
    case 'USR':
      return third?.includes('@') === true
    default:
      return false
  }
}
