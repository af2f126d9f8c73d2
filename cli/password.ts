/** Asks for a password without showing it, or reads it from a pipe. */
import type { Io } from './io.ts'

/** Longer than any password; what comes behind it is not one. */
const MAX_BYTES = 1024

export type Password = { readonly password: string } | { readonly wrong: string }

export const askPassword = async (io: Io, address: string): Promise<Password> => {
  if (!io.stdin.isTTY) return fromPipe(io)
  // Before the question, so that nothing is shown of what somebody types ahead.
  io.stdin.setRawMode(true)
  try {
    return await fromKeyboard(io, address)
  } finally {
    io.stdin.setRawMode(false)
    io.stdin.pause()
  }
}

const fromKeyboard = async (io: Io, address: string): Promise<Password> => {
  const keys = new Keys(io)
  const first = await keys.line(`Password for ${address}: `)
  if (first === undefined) return { wrong: 'nothing was changed' }
  if (first === '') return { wrong: 'the password is empty' }
  const second = await keys.line('The same again: ')
  return first === second ? { password: first } : { wrong: 'the two passwords are not the same' }
}

/** The first line. */
const fromPipe = async ({ stdin }: Io): Promise<Password> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (chunk.includes(0x0a) || bytes > MAX_BYTES) break
  }
  const text = Buffer.concat(chunks).toString('utf8')
  const line = /^[^\r\n]*/.exec(text)?.[0] ?? ''
  if (Buffer.byteLength(line) > MAX_BYTES) return { wrong: `the password is longer than ${MAX_BYTES} bytes` }
  return line === '' ? { wrong: 'there is no password on standard input' } : { password: line }
}

/** Lines from the keyboard in raw mode: we see each key, and nobody else sees any. */
class Keys {
  readonly #io: Io
  /** Typed ahead of the question. */
  #ahead = ''

  constructor(io: Io) {
    this.#io = io
    io.stdin.setEncoding('utf8')
  }

  /** `undefined` after Ctrl-C. */
  line(question: string): Promise<string | undefined> {
    const { stdin, stderr } = this.#io
    stderr.write(question)
    return new Promise((resolve) => {
      let line = ''
      const take = (text: string): void => {
        for (const [index, key] of Array.from(text).entries()) {
          if (key === '\r' || key === '\n' || key === '\u0004' || key === '\u0003') {
            stdin.off('data', take).pause()
            this.#ahead = Array.from(text)
              .slice(index + 1)
              .join('')
            stderr.write('\n')
            resolve(key === '\u0003' ? undefined : line)
            return
          }
          if (key === '\u007f' || key === '\b') line = line.replace(/.$/su, '')
          else if (key >= ' ' && line.length < MAX_BYTES) line += key
        }
      }
      const ahead = this.#ahead
      this.#ahead = ''
      stdin.on('data', take).resume()
      take(ahead)
    })
  }
}
