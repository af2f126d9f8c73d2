import { PassThrough } from 'node:stream'
import type { ReadStream } from 'node:tty'
import { expect, test } from 'vitest'
import type { Io } from '../../cli/io.ts'
import { askPassword, type Password } from '../../cli/password.ts'

/** A terminal at which somebody types: `keys` may come in any pieces. */
const atTerminal = async (...keys: readonly string[]) => {
  const input = new PassThrough()
  const modes: boolean[] = []
  const shown: string[] = []
  const stdin = Object.assign(input, { isTTY: true, setRawMode: (raw: boolean) => modes.push(raw) })
  const io: Io = {
    env: {},
    folder: '/',
    stdin: stdin as unknown as ReadStream,
    stdout: { write: () => true },
    stderr: { write: (text) => shown.push(modes.at(-1) === true ? text : `shown by the terminal: ${text}`) },
  }
  const answer = askPassword(io, 'bob@home.example')
  for (const key of keys) input.write(key)
  return { answer: await answer, modes, shown: shown.join('') }
}

const fromPipe = (...pieces: readonly string[]): Promise<Password> => {
  const input = new PassThrough()
  for (const piece of pieces) input.write(piece)
  input.end()
  const out = { write: () => true }
  return askPassword({ env: {}, folder: '/', stdin: input as unknown as ReadStream, stdout: out, stderr: out }, 'bob')
}

test.each([
  ['in one piece', ['sesame\rsesame\r']],
  ['key by key', [...('sesame\rsesame\r'.match(/./gs) ?? [])]],
  ['with corrections', ['sesamm\u007fe\r', 'x\bsesame\r']],
  ['with line feeds', ['sesame\n', 'sesame\n']],
])('a password that is typed twice %s is taken and never shown', async (_, keys) => {
  const { answer, modes, shown } = await atTerminal(...keys)
  expect(answer).toEqual({ password: 'sesame' })
  expect(modes).toEqual([true, false])
  expect(shown).toBe('Password for bob@home.example: \nThe same again: \n')
})

test.each([
  ['two that differ', 'one\rtwo\r', 'the two passwords are not the same'],
  ['nothing', '\r', 'the password is empty'],
  ['Ctrl-C', 'ses\u0003', 'nothing was changed'],
])('%s changes nothing, and the terminal is as it was', async (_, keys, wrong) => {
  const { answer, modes } = await atTerminal(keys)
  expect(answer).toEqual({ wrong })
  expect(modes.at(-1)).toBe(false)
})

test('a character beyond ASCII is one key', async () => {
  expect((await atTerminal('né\u{1F511}\u007f\rné\r')).answer).toEqual({ password: 'né' })
})

test('from a pipe the first line is the password', async () => {
  expect(await fromPipe('sesame\nmore\n')).toEqual({ password: 'sesame' })
  expect(await fromPipe('ses', 'ame\r\n')).toEqual({ password: 'sesame' })
  expect(await fromPipe('sesame')).toEqual({ password: 'sesame' })
  expect(await fromPipe('')).toEqual({ wrong: 'there is no password on standard input' })
  expect(await fromPipe('x'.repeat(5_000))).toEqual({ wrong: 'the password is longer than 1024 bytes' })
})
