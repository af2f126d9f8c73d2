import { Framer, isFault } from '../../msnp/wire/frame.ts'
import { decodeName } from '../../msnp/wire/escape.ts'
import { parseMime } from '../../msnp/wire/mime.ts'
import { clockMs, type Figures, type Part } from '../measure.ts'

const CHUNK = 64 * 1024
const PAIRS = 150_000

const body =
  'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nX-MMS-IM-Format: FN=Arial; EF=; CO=0; CS=0; PF=0\r\n\r\nGrüße, and forty letters more or less!'
const presence = 'NLN NLN bob@example.com Bob%20%E2%98%83 268435456 %3Cmsnobj%2F%3E\r\n'
const message = `MSG bob@example.com Bob%20%E2%98%83 ${Buffer.byteLength(body)}\r\n${body}`

function pass(stream: Buffer, decode: boolean): number {
  const framer = new Framer('server', { line: 8192, payload: 65_536 })
  const started = clockMs()
  let seen = 0
  let letters = 0
  for (let at = 0; at < stream.length; at += CHUNK) {
    framer.push(stream.subarray(at, at + CHUNK))
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
      if (isFault(frame)) throw new Error(`the framer stopped: ${frame.fault}`)
      seen++
      if (!decode) continue
      const mime = frame.payload === undefined ? undefined : parseMime(frame.payload)
      letters += decodeName(frame.params[mime === undefined ? 2 : 1] ?? '').length
      letters += mime === undefined ? 0 : mime.text().length + (mime.headers.get('x-mms-im-format') ?? '').length
    }
    framer.settle()
  }
  if (seen !== 2 * PAIRS || (decode && letters === 0)) throw new Error(`${seen} commands were read`)
  return (clockMs() - started) / 1000
}

export const framer: Part = {
  name: 'framer',
  about: 'half NLN and half 150-byte MSG, cut in 64 KiB chunks; decoded: with UTF-8, percent and MIME decoding',
  targets: { commands: { min: 1_200_000 }, decoded: { min: 800_000 } },
  async run(): Promise<Figures> {
    const stream = Buffer.from((presence + message).repeat(PAIRS))
    const plain = pass(stream, false)
    const decoded = pass(stream, true)
    return {
      commands: (2 * PAIRS) / plain,
      mb: stream.length / plain / 1e6,
      decoded: (2 * PAIRS) / decoded,
      decoded_mb: stream.length / decoded / 1e6,
    }
  },
}
