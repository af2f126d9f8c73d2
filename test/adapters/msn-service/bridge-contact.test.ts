/** The contact `bridge@<domain>`: it is there, takes commands, and keeps nothing. */
import { afterEach, describe, expect, it } from 'vitest'
import { MAX_WAITING } from '../../../adapters/msn-service/bridge-contact.ts'
import type { CommandReply, CommandRequest } from '../../../bridge/adapter.ts'
import { plain } from '../../../bridge/model/text.ts'
import { BESIDE_CLIENT } from '../../../msnp/model/beside.ts'
import type { Messenger, Room } from '../../kit/messenger.ts'
import { Rig } from './rig.ts'

const BRIDGE = 'bridge@home.example'
const CAROL = 'carol@home.example'
const PASSWORD = 'its-password'

let rig = new Rig()
afterEach(async () => {
  await rig.end()
  rig = new Rig()
})

/** What the bridge was asked, and how it answers. */
const listens = (
  answer: (request: CommandRequest) => CommandReply = ({ line }) => ({ lines: [plain(`did ${line}`)] }),
) => {
  const asked: CommandRequest[] = []
  rig.command = async (request) => {
    asked.push(request)
    return answer(request)
  }
  return asked
}

const begin = async (more: Record<string, unknown> = {}): Promise<void> => {
  await rig.start(more)
  for (const name of ['carol', 'dave']) await rig.accounts.add(name, PASSWORD)
}

const ask = async (room: Room, line: string): Promise<string> => {
  await room.acked(room.text(line))
  const { from, text } = await room.heard()
  expect(from).toBe(BRIDGE)
  return text
}

const code = async (room: Room, trid: number, email: string): Promise<string> => {
  room.wire.send(`CAL ${trid} ${email}`)
  return (await room.wire.next((line) => line.words[1] === String(trid))).line
}

describe('the contact', () => {
  it.each([
    ['MSNP9', ['ADD', 'FL', BRIDGE, 'Bridge', '0'], `NLN ${BRIDGE} msn-bridge 0`],
    ['MSNP12', ['ADC', 'FL', `N=${BRIDGE}`, 'F=Bridge'], `NLN ${BRIDGE} msn-bridge 0`],
  ] as const)(
    'is added with %s, is online at once and at each sign-in, and answers',
    async (dialect, [verb, ...words], seen) => {
      const asked = listens()
      await begin()
      const carol = await rig.signIn('carol', PASSWORD, { dialect })
      expect((await carol.ask(verb, ...words)).words[0]).toBe(verb)
      expect((await carol.ns.next('ILN')).line).toBe(`ILN 102 ${seen}`)
      const room = await carol.call(BRIDGE)
      expect(await ask(room, '  who bob ')).toBe('did who bob')
      expect(await ask(room, 'status')).toBe('did status')
      expect(asked).toEqual(
        ['who bob', 'status'].map((line) => ({
          from: { network: 'home', user: CAROL },
          fromName: CAROL,
          via: `home:${BRIDGE}`,
          role: 'user',
          line,
        })),
      )
      carol.signOut()
      await rig.stop()
      await rig.start()
      const again = await rig.signIn('carol', PASSWORD, { dialect })
      expect((await again.ns.next('ILN')).line).toBe(`ILN 101 ${seen}`)
      expect(JSON.stringify(rig.log.lines)).not.toContain('who bob')
      again.signOut()
    },
  )

  it('knows the admins of the config, has the name that it gives, and may be switched off', async () => {
    const asked = listens()
    await begin({ bridge_contact: { admins: ['Carol@home.example'], name: 'The Bridge' } })
    const [carol, dave] = [await rig.signIn('carol', PASSWORD), await rig.signIn('dave', PASSWORD)]
    const room = await carol.call(BRIDGE)
    expect(room.wire.received.find(({ words: [verb] }) => verb === 'JOI')?.line).toBe(`JOI ${BRIDGE} The%20Bridge`)
    await ask(room, 'a')
    await ask(await dave.call(BRIDGE), 'b')
    expect(asked.map(({ role }) => role)).toEqual(['admin', 'user'])
    for (const one of [carol, dave]) one.signOut()
    await rig.stop()
    await rig.start({ bridge_contact: { enabled: false } })
    const again = await rig.signIn('carol', PASSWORD)
    await expect(again.call(BRIDGE)).rejects.toThrow('CAL was answered 217')
    again.signOut()
  })

  it('is nobody that could sign up or sign in, and no row of the list', async () => {
    await begin()
    for (const name of [BRIDGE, 'Bridge'])
      expect(JSON.stringify(await rig.accounts.add(name, PASSWORD))).toContain('is the bridge itself')
    expect(await rig.accounts.passwd('bridge', PASSWORD)).toMatchObject({ kind: 'refused' })
    expect(await rig.accounts.remove('bridge')).toMatchObject({ kind: 'refused' })
    await expect(rig.signIn('bridge', PASSWORD)).rejects.toThrow('login answered 401')
    const carol = await rig.signIn('carol', PASSWORD)
    await carol.add(BRIDGE)
    expect((await rig.accounts.list()).map(({ address }) => address)).toEqual([CAROL, 'dave@home.example'])
    carol.signOut()
  })

  it('leaves an account alone that has had the address before, and says so', async () => {
    await begin()
    const state = await rig.state()
    await state.update([
      [`account/${BRIDGE}`, ((await state.get(`account/${CAROL}`)) ?? '').replaceAll(CAROL, BRIDGE)],
      [`password/${BRIDGE}`, await state.get(`password/${CAROL}`)],
    ])
    await rig.stop()
    await rig.start()
    const older = await rig.signIn('bridge', PASSWORD)
    expect((await rig.accounts.list()).map(({ address }) => address)).toContain(BRIDGE)
    expect(rig.log.lines).toContainEqual({
      level: 'warn',
      message: 'an account has the address of the bridge contact',
      fields: { user: BRIDGE },
    })
    older.signOut()
  })
})

describe('its conversations', () => {
  it('are of two: nobody is called into them, and it comes into no other', async () => {
    const asked = listens()
    await begin()
    const [carol, dave] = [await rig.signIn('carol', PASSWORD), await rig.signIn('dave', PASSWORD)]
    const room = await carol.call(BRIDGE)
    expect(await code(room, 50, dave.email)).toBe('216 50')
    expect(await code(room, 51, BRIDGE)).toBe('215 51')
    const other = await carol.call()
    await Promise.all([dave.answer(), other.invite(dave.email)])
    expect(await code(other, 52, BRIDGE)).toBe('216 52')
    // Somebody who was called before it came is too late.
    const third = await carol.call()
    expect((await code(third, 53, dave.email)).slice(0, 15)).toBe('CAL 53 RINGING ')
    expect(await code(third, 54, BRIDGE)).toBe('216 54')
    other.text('help', 'U')
    await ask(room, 'help')
    expect(asked).toHaveLength(1)
    for (const one of [carol, dave]) one.signOut()
  })

  it('are closed to whoever was called before it and comes late', async () => {
    listens()
    await begin({ timing: { ring_ms: 1 } })
    const [carol, dave] = [await rig.signIn('carol', PASSWORD), await rig.signIn('dave', PASSWORD)]
    const room = await carol.call()
    expect((await code(room, 60, dave.email)).slice(0, 15)).toBe('CAL 60 RINGING ')
    // He may still come, and rings no more.
    let trid = 61
    while ((await code(room, trid, BRIDGE)) === `216 ${trid}`) trid++
    await room.wire.next(`JOI ${BRIDGE}`)
    await expect(dave.answer()).rejects.toThrow('911 1')
    expect(await ask(room, 'help')).toBe('did help')
    for (const one of [carol, dave]) one.signOut()
  })

  it('are for Messengers: a bridge beside one is neither called in nor let in, and sees nobody there', async () => {
    listens()
    await begin()
    const carol = await rig.signIn('carol', PASSWORD)
    const beside = await rig.signIn('carol', PASSWORD, { product: BESIDE_CLIENT })
    await carol.add(BRIDGE)
    await carol.ns.next('ILN')
    await ask(await carol.call(BRIDGE), 'help')
    const later = await rig.signIn('carol', PASSWORD, { product: BESIDE_CLIENT })
    await expect(later.call(BRIDGE)).rejects.toThrow('CAL was answered 217')
    const verbs = [...beside.ns.received, ...later.ns.received].map(({ words: [verb] }) => verb)
    expect(verbs).not.toContain('RNG')
    expect(verbs).not.toContain('ILN')
    // Only of the Messenger of the same account.
    const seen = [...beside.ns.received, ...later.ns.received].filter(({ words: [verb] }) => verb === 'NLN')
    expect(new Set(seen.map(({ words }) => words[2]))).toEqual(new Set(['carol@home.example']))
    carol.signOut()
    later.signOut()
  })

  it('end with the window, and what is answered after that goes nowhere', async () => {
    let answer = (): void => undefined
    rig.command = () => new Promise((resolve) => (answer = () => resolve({ lines: [plain('late')] })))
    await begin()
    const carol = await rig.signIn('carol', PASSWORD)
    const room = await carol.call(BRIDGE)
    await room.acked(room.text('help'))
    room.leave()
    await room.wire.end()
    answer()
    rig.command = async () => ({ lines: [plain('new')] })
    expect(await ask(await carol.call(BRIDGE), 'help')).toBe('new')
    expect(rig.adapter.describe()[0]).toContain('1 signed in, 1 conversation')
    carol.signOut()
  })
})

describe('what is said to it', () => {
  let carol: Messenger
  const talk = async (): Promise<Room> => {
    await begin()
    carol = await rig.signIn('carol', PASSWORD)
    return carol.call(BRIDGE)
  }
  afterEach(() => carol.signOut())

  it('is a secret when it was asked for, once, and is kept and logged nowhere', async () => {
    const asked = listens(({ line }) =>
      line === 'login' ? { lines: [plain('The password?')], secretNext: true } : { lines: [plain('Done.')] },
    )
    const room = await talk()
    expect(await ask(room, 'login')).toBe('The password?')
    expect(await ask(room, ' hunter2 ')).toBe('Done.')
    expect(await ask(room, 'help')).toBe('Done.')
    expect(asked.map(({ line, secret }) => [line, secret])).toEqual([
      ['login', undefined],
      ['', ' hunter2 '],
      ['help', undefined],
    ])
    const kept = JSON.stringify(await (await rig.state()).list(''))
    expect(kept).toContain(CAROL)
    expect(kept + JSON.stringify(rig.log.lines)).not.toContain('hunter2')
  })

  it('is answered in as few messages as it takes, each of which fits', async () => {
    listens(() => ({ lines: [plain('one'), plain('ä'.repeat(2_000)), plain('two'), plain('three')] }))
    const room = await talk()
    room.text('help')
    const heard = [await room.heard(), await room.heard(), await room.heard(), await room.heard()]
    expect(heard.every(({ payload }) => Buffer.byteLength(payload) <= 1_664)).toBe(true)
    expect(heard.map(({ text }) => text).join('')).toBe(`one${'ä'.repeat(2_000)}\r\ntwo\r\nthree`)
  })

  it('waits for what was said before, within limits', async () => {
    const answers: (() => void)[] = []
    rig.command = ({ line }) => new Promise((resolve) => answers.push(() => resolve({ lines: [plain(`did ${line}`)] })))
    const room = await talk()
    for (let count = 0; count <= MAX_WAITING; count++) await room.acked(room.text(`help ${count}`))
    expect((await room.heard()).text).toMatch(/I did not hear that/)
    expect(answers).toHaveLength(1)
    expect(rig.metrics.values.get('msn_service_dropped_commands{network=home}')).toBe(1)
    for (let count = 0; count < MAX_WAITING; count++) {
      answers[count]?.()
      expect((await room.heard()).text).toBe(`did help ${count}`)
    }
  })

  it('may go wrong, and the log says that and no more', async () => {
    rig.command = () => Promise.reject(new Error('no disk'))
    expect(await ask(await talk(), 'hush hush')).toMatch(/the log of the bridge says why/)
    expect(JSON.stringify(rig.log.lines)).toContain('no disk')
    expect(JSON.stringify(rig.log.lines)).not.toContain('hush')
  })

  it('is text; other things are answered so, declined or passed over, and rubbish hurts nobody', async () => {
    const asked = listens()
    const room = await talk()
    room.send('MIME-Version: 1.0\r\nContent-Type: text/x-msnmsgr-datacast\r\n\r\nID: 1\r\n\r\n', 'U')
    expect((await room.heard()).text).toMatch(/words only/)
    room.send(
      'MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\nApplication-Name: File Transfer\r\nApplication-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: 4711\r\n\r\n',
      'U',
    )
    expect((await room.wire.next(({ payload }) => payload.includes('Invitation-Cookie'))).payload).toContain('CANCEL')
    room.typing(CAROL)
    room.send(Buffer.from([0, 255, 13, 10, 13, 10, 128]), 'U')
    room.send('', 'U')
    room.text(' ', 'U')
    const parts = 'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nMessage-ID: {7}\r\n'
    room.send(`${parts}Chunks: 2\r\n\r\nhelp `, 'U')
    room.send('Message-ID: {7}\r\nChunk: 1\r\n\r\nme', 'U')
    expect((await room.heard()).text).toMatch(/too long/)
    expect(await ask(room, 'help')).toBe('did help')
    expect(asked).toHaveLength(1)
  })
})
