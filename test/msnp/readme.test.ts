import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Messenger } from '../kit/messenger.ts'

const README = readFileSync(join(import.meta.dirname, '../../msnp/README.md'), 'utf8')
const LIBRARY = pathToFileURL(join(import.meta.dirname, '../../msnp/index.ts')).href

/** The program of that name in the README, as it stands there. */
const program = (name: string): string => {
  const found = new RegExp(`<!-- ${name.replace('.', '\\.')} -->\n+\`\`\`ts\n([\\s\\S]*?)\`\`\``).exec(README)?.[1]
  if (found === undefined) throw new Error(`the README has no ${name}`)
  return found
}

const folder = mkdtempSync(join(tmpdir(), 'msnp-readme-'))
const running: ChildProcessByStdio<null, Readable, Readable>[] = []

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs it; `says` resolves with the first line that fits, and rejects when the program ends without one. */
const run = (name: string, env: Record<string, string>) => {
  const file = join(folder, name)
  writeFileSync(file, program(name).replace("'msn-bridge/msnp'", `'${LIBRARY}'`))
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  let text = ''
  child.stdout.on('data', (chunk) => (text += String(chunk)))
  child.stderr.on('data', (chunk) => (text += String(chunk)))
  const says = async (line: RegExp): Promise<readonly string[]> => {
    for (;;) {
      const found = line.exec(text)
      if (found !== null) return found
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${text}`)
      await Promise.race([once(child.stdout, 'data'), once(child, 'close')])
    }
  }
  return { child, says }
}

describe('the README', () => {
  it.each(['server.ts', 'client.ts', 'caller.ts'])('shows a whole %s in about 30 lines', (name) => {
    expect(program(name).split('\n').length).toBeLessThanOrEqual(32)
  })

  it('shows a service and a client that talk to each other and to a Messenger', async () => {
    const server = run('server.ts', { PORT: '0', LOGIN_PORT: '0' })
    const [, notification = '', passport = ''] = await server.says(/^ready (\d+) (\d+)$/m)
    const client = run('client.ts', { PORT: notification, LOGIN_PORT: passport })
    await client.says(/^signed in$/m)
    const where = { notification: Number(notification), passport: Number(passport) }
    const bob = await Messenger.signIn(where, 'bob@home.example', 'geheim')
    const room = await bob.call('alice@home.example')
    await room.acked(room.text('hello'))
    expect(await room.heard()).toMatchObject({ from: 'alice@home.example', text: 'You said: hello' })
    await client.says(/^answered: acked$/m)
    server.child.kill('SIGTERM')
    await bob.ns.next('OUT SSD')
    await client.says(/^closed: server-shutdown$/m)
    await once(server.child, 'exit')
    expect(server.child.exitCode).toBe(0)
  })

  it('shows a client that speaks first', async () => {
    const server = run('server.ts', { PORT: '0', LOGIN_PORT: '0' })
    const [, PORT = '', LOGIN_PORT = ''] = await server.says(/^ready (\d+) (\d+)$/m)
    const client = run('client.ts', { PORT, LOGIN_PORT })
    await client.says(/^signed in$/m)
    const caller = run('caller.ts', { PORT, LOGIN_PORT })
    await caller.says(/^alice@home.example: NLN$[\s\S]*^sent: acked$/m)
    if (caller.child.exitCode === null) await once(caller.child, 'exit')
    expect(caller.child.exitCode).toBe(0)
  })

  it('shows a machine without sockets', async () => {
    const { says } = run('machine.ts', {})
    expect(await says(/QNG[\s\S]*200 18/)).toHaveLength(1)
  })
})
