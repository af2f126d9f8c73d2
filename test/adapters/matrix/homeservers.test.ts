/** The fake homeserver behaves like Synapse: the same tests on both, seen from an application service and from people. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { AppService, type Asked } from '../../kit/app-service.ts'
import { temporaryFolder } from '../../kit/foreign-server.ts'
import { writeRegistration } from '../../kit/homeserver/registration.ts'
import { onEachHomeserver, type Homeserver } from '../../kit/homeservers.ts'
import { bodyOf, type MatrixPerson } from '../../kit/matrix-person.ts'

const V3 = '/_matrix/client/v3'
const enc = encodeURIComponent

onEachHomeserver((start) => {
  let service: AppService
  let homeserver: Homeserver
  let alice: MatrixPerson
  let bob: MatrixPerson
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let ghosts = 0

  beforeAll(async () => {
    service = await AppService.start()
    folder = await temporaryFolder('registration')
    writeRegistration(`${folder.path}/registration.yaml`, service.registration)
    homeserver = await start({ registrations: [`${folder.path}/registration.yaml`] })
    service.homeserver = homeserver.url
    alice = await homeserver.person('alice')
    bob = await homeserver.person('bob')
  })
  afterAll(async () => {
    await homeserver.stop()
    await service.stop()
    await folder.remove()
  })

  const expectRefused = (answer: Asked, status: number, errcode: string): void =>
    expect([answer.status, answer.body['errcode']]).toEqual([status, errcode])
  const register = (username: string): Promise<Asked> =>
    service.ask('POST', `${V3}/register`, { type: 'm.login.application_service', username, inhibit_login: true })
  /** A ghost that has an account. */
  const newGhost = async (): Promise<string> => {
    const name = `test_ghost${++ghosts}`
    expect((await register(name)).status).toBe(200)
    return `@${name}:${homeserver.domain}`
  }
  /** A room of the bot, with alice in it. */
  const newRoom = async (options: Readonly<Record<string, unknown>> = {}): Promise<string> => {
    const answer = await service.ask('POST', `${V3}/createRoom`, { invite: [alice.id], ...options })
    expect(answer).toMatchObject({ status: 200 })
    const room = String(answer.body['room_id'])
    await alice.waitForInvite((invited) => invited === room)
    await alice.join(room)
    return room
  }
  const enter = async (ghost: string, room: string): Promise<void> => {
    expect((await service.ask('POST', `${V3}/rooms/${enc(room)}/invite`, { user_id: ghost })).status).toBe(200)
    expect((await service.ask('POST', `${V3}/join/${enc(room)}`, {}, { user_id: ghost })).status).toBe(200)
  }
  const say = (room: string, txn: string, query: Record<string, string>, body = txn): Promise<Asked> =>
    service.ask('PUT', `${V3}/rooms/${enc(room)}/send/m.room.message/${txn}`, { msgtype: 'm.text', body }, query)
  const pushed = (id: string): number => service.events.filter((event) => event.event_id === id).length

  test('says what it can do', async () => {
    const versions = await service.ask('GET', '/_matrix/client/versions')
    expect(versions.body['versions']).toContain('v1.11')
    expect(versions.body['unstable_features']).toMatchObject({ 'org.matrix.msc3026.busy_presence': false })
    const capabilities = await service.ask('GET', `${V3}/capabilities`)
    expect(capabilities.body).toMatchObject({ capabilities: { 'm.room_versions': { default: '12' } } })
    expect((await service.ask('GET', `${V3}/account/whoami`)).body['user_id']).toBe(`@testbot:${homeserver.domain}`)
    expectRefused(await service.ask('GET', `${V3}/nothing/here`), 404, 'M_UNRECOGNIZED')
  })

  test('registers ghosts of the namespace once, and nobody else', async () => {
    const ghost = await newGhost()
    expectRefused(await register(ghost.slice(1, ghost.indexOf(':'))), 400, 'M_USER_IN_USE')
    expectRefused(await register('somebody'), 400, 'M_EXCLUSIVE')
    expectRefused(
      await service.ask('GET', `${V3}/account/whoami`, undefined, { user_id: alice.id }),
      403,
      'M_FORBIDDEN',
    )
    const nobody = { user_id: `@test_nobody:${homeserver.domain}` }
    expectRefused(await service.ask('GET', `${V3}/account/whoami`, undefined, nobody), 403, 'M_FORBIDDEN')
    const wrong = await fetch(`${homeserver.url}${V3}/account/whoami`, { headers: { authorization: 'Bearer wrong' } })
    expect([wrong.status, ((await wrong.json()) as Asked['body'])['errcode']]).toEqual([401, 'M_UNKNOWN_TOKEN'])
  })

  test('keeps profiles, own fields included, and renames people in their rooms', async () => {
    const ghost = await newGhost()
    const room = await newRoom()
    await enter(ghost, room)
    const put = (field: string, value: unknown, as = ghost): Promise<Asked> =>
      service.ask('PUT', `${V3}/profile/${enc(as)}/${field}`, { [field]: value }, { user_id: ghost })
    expect((await put('displayname', 'Bob from MSN')).status).toBe(200)
    expect((await put('m.status', { text: 'on the phone', emoji: '☎️' })).status).toBe(200)
    expectRefused(await put('displayname', 'x', alice.id), 400, 'M_FORBIDDEN')
    expect((await service.ask('GET', `${V3}/profile/${enc(ghost)}`)).body).toEqual({
      displayname: 'Bob from MSN',
      'm.status': { text: 'on the phone', emoji: '☎️' },
    })
    await alice.waitFor(room, (event) => event.stateKey === ghost && event.content['displayname'] === 'Bob from MSN')
    expect(alice.nameIn(room, ghost)).toBe('Bob from MSN')
  })

  test.each(['11', '12'])('makes rooms of version %s by its rules', async (version) => {
    const bot = `@testbot:${homeserver.domain}`
    const make = (users: Readonly<Record<string, number>>): Promise<Asked> =>
      service.ask('POST', `${V3}/createRoom`, { room_version: version, power_level_content_override: { users } })
    const other = await newGhost()
    expect((await make({ [bot]: 100, [other]: 50 })).status).toBe(version === '11' ? 200 : 400)
    expect((await make({ [other]: 50 })).status).toBe(version === '11' ? 400 : 200)

    const initial = { type: 'm.bridge', state_key: 'org.example', content: { protocol: { id: 'msn' } } }
    const room = await newRoom({ room_version: version, name: 'Friends', is_direct: true, initial_state: [initial] })
    expect(room.includes(':')).toBe(version === '11')
    expect(alice.state(room, 'm.bridge', 'org.example')).toEqual({ protocol: { id: 'msn' } })
    expect(alice.state(room, 'm.room.name')).toEqual({ name: 'Friends' })
    expect(alice.state(room, 'm.room.create')?.['room_version']).toBe(version)
    const invited = alice.timeline(room).find((event) => event.content['membership'] === 'invite')
    expect(invited?.content['is_direct']).toBe(true)
  })

  test('lets in who is invited, and refuses what the rules refuse', async () => {
    const room = await newRoom()
    const ghost = await newGhost()
    const at = `${V3}/rooms/${enc(room)}`
    const as = { user_id: ghost }
    expectRefused(await service.ask('POST', `${V3}/join/${enc(room)}`, {}, as), 403, 'M_FORBIDDEN')
    expectRefused(await say(room, 'outside', as), 403, 'M_FORBIDDEN')
    expect((await service.ask('GET', `${at}/joined_members`, undefined, as)).status).toBe(200)
    await enter(ghost, room)
    await alice.waitForMember(room, ghost, 'join')
    expectRefused(await service.ask('POST', `${at}/invite`, { user_id: ghost }), 403, 'M_FORBIDDEN')
    expectRefused(await service.ask('POST', `${at}/kick`, { user_id: alice.id }, as), 403, 'M_FORBIDDEN')
    expectRefused(await service.ask('PUT', `${at}/state/m.room.name`, { name: 'x' }, as), 403, 'M_FORBIDDEN')
    await expect(alice.kick(room, ghost)).rejects.toThrow()
    const joined = (await service.ask('GET', `${at}/joined_members`)).body['joined']
    expect(Object.keys(joined as object).sort()).toEqual([alice.id, ghost, `@testbot:${homeserver.domain}`].sort())

    expect((await service.ask('POST', `${at}/kick`, { user_id: ghost, reason: 'enough' })).status).toBe(200)
    await alice.waitForMember(room, ghost, 'leave')
    expectRefused(await service.ask('POST', `${V3}/join/${enc(room)}`, {}, as), 403, 'M_FORBIDDEN')
    expect((await service.ask('POST', `${at}/ban`, { user_id: ghost })).status).toBe(200)
    expectRefused(await service.ask('POST', `${at}/invite`, { user_id: ghost }), 403, 'M_BAD_STATE')
    expectRefused(await service.ask('POST', `${V3}/join/${enc(room)}`, {}, as), 403, 'M_BAD_STATE')
    expect((await service.ask('POST', `${at}/unban`, { user_id: ghost })).status).toBe(200)
    await enter(ghost, room)
    expect((await service.ask('POST', `${at}/leave`, {}, as)).status).toBe(200)
    await alice.waitForMember(room, ghost, 'leave')
    await alice.leave(room)
    expect((await service.ask('GET', `${V3}/joined_rooms`)).body['joined_rooms']).toContain(room)
    expect((await service.ask('GET', `${V3}/joined_rooms`, undefined, as)).body['joined_rooms']).toEqual([])
  })

  test('power levels decide who may speak', async () => {
    const room = await newRoom({ power_level_content_override: { events_default: 50 } })
    const ghost = await newGhost()
    await enter(ghost, room)
    expectRefused(await say(room, 'muted', { user_id: ghost }), 403, 'M_FORBIDDEN')
    await expect(alice.say(room, 'me too')).rejects.toThrow()
    expect((await say(room, 'bot', {})).status).toBe(200)
  })

  test('a message may be older than it is', async () => {
    const room = await newRoom()
    const ts = Date.UTC(2004, 5, 1)
    await say(room, 'from-2004', { ts: String(ts) })
    expect((await alice.waitForMessage(room, 'from-2004')).ts).toBe(ts)
  })

  test('what people say is pushed once each, in order, and again after it was refused', async () => {
    const room = await newRoom()
    await alice.say(room, 'first')
    await service.until(() => service.events.some((event) => event.content['body'] === 'first'))
    service.answer = () => 500
    const seen = service.transactions.length
    const ids: string[] = []
    for (let count = 0; count < 5; count++) ids.push(await alice.say(room, `number ${count}`))
    await service.until(() => service.transactions.length > seen)
    const refused = service.transactions[seen]
    service.transactions.splice(seen)
    service.answer = () => 200
    await service.ask('POST', '/_matrix/client/v1/appservice/test/ping', { transaction_id: 'wake up' })
    await service.until(() => ids.every((id) => pushed(id) > 0))
    expect(service.pings).toContain('wake up')
    expect(ids.map(pushed)).toEqual([1, 1, 1, 1, 1])
    const order = service.events.flatMap(({ event_id: id = '' }) => (ids.includes(id) ? [id] : []))
    expect(order).toEqual(ids)
    const again = service.transactions.find(({ events }) => events.some((event) => event.event_id === ids[0]))
    expect(again?.id).toBe(refused?.id)
    expect(again?.authorization).toBe(`Bearer ${service.registration.hs_token}`)
  })

  test('a ping says what became of it', async () => {
    const ping = (): Promise<Asked> =>
      service.ask('POST', '/_matrix/client/v1/appservice/test/ping', { transaction_id: 'txn' })
    // Synapse trips over a ping while it still recovers from the refused one above.
    const answer = await vi.waitUntil(async () => {
      const pong = await ping()
      return pong.status === 200 && pong
    })
    expect(answer.body['duration_ms']).toBeTypeOf('number')
    expectRefused(await service.ask('POST', '/_matrix/client/v1/appservice/other/ping', {}), 403, 'M_FORBIDDEN')
  })

  test('edits, reactions, redactions and state are pushed as what they are', async () => {
    const room = await newRoom()
    const said = await alice.say(room, 'helo')
    const edited = await alice.edit(room, said, 'hello')
    const reacted = await alice.react(room, said, '👍')
    await alice.redact(room, reacted, 'changed my mind')
    const redaction = await service.until(() =>
      service.events.find(({ type, content }) => type === 'm.room.redaction' && content['redacts'] === reacted),
    )
    expect(redaction.content).toEqual({ reason: 'changed my mind', redacts: reacted })
    const byId = (id: string) => service.events.find(({ event_id }) => event_id === id)
    expect(byId(edited)?.content).toMatchObject({
      body: '* hello',
      'm.relates_to': { rel_type: 'm.replace', event_id: said },
    })
    expect(byId(edited)).toMatchObject({ sender: alice.id, room_id: room, type: 'm.room.message' })
    await alice.waitFor(room, ({ id, content }) => id === reacted && Object.keys(content).length === 0)
    const event = await service.ask('GET', `${V3}/rooms/${enc(room)}/event/${enc(said)}`)
    expect(event.body).toMatchObject({ content: { body: 'helo' }, sender: alice.id })
    expectRefused(await service.ask('GET', `${V3}/rooms/${enc(room)}/event/$nothing`), 404, 'M_NOT_FOUND')
  })

  test('an invitation of a ghost is pushed with who, where and what kind', async () => {
    const ghost = await newGhost()
    const room = await alice.dm(ghost)
    const invitation = await service.until(() =>
      service.events.find((event) => event.room_id === room && event.state_key === ghost),
    )
    expect(invitation).toMatchObject({ type: 'm.room.member', sender: alice.id })
    expect(invitation.content).toMatchObject({ membership: 'invite', is_direct: true })
    expect((await service.ask('POST', `${V3}/join/${enc(room)}`, {}, { user_id: ghost })).status).toBe(200)
    await alice.waitForMember(room, ghost, 'join')
  })

  test('typing, receipts and presence are pushed and seen', async () => {
    const ghost = await newGhost()
    const room = await newRoom()
    await enter(ghost, room)
    const said = await alice.say(room, 'read this')
    const as = { user_id: ghost }
    const at = `${V3}/rooms/${enc(room)}`
    expect((await service.ask('PUT', `${at}/typing/${enc(ghost)}`, { typing: true, timeout: 20_000 }, as)).status).toBe(
      200,
    )
    await alice.waitForTyping(room, ghost)
    expect((await service.ask('PUT', `${at}/typing/${enc(ghost)}`, { typing: false }, as)).status).toBe(200)
    await alice.waitForTyping(room, ghost, false)
    expect((await service.ask('POST', `${at}/receipt/m.read/${enc(said)}`, {}, as)).status).toBe(200)
    await alice.waitForReceipt(room, ghost, said)

    await alice.typing(room, true)
    await service.until(() =>
      service.ephemeral.some(
        (event) =>
          event.type === 'm.typing' &&
          event.room_id === room &&
          JSON.stringify(event.content) === JSON.stringify({ user_ids: [alice.id] }),
      ),
    )
    await alice.setPresence('unavailable', 'lunch')
    await service.until(() =>
      service.ephemeral.some(
        ({ type, sender, content }) =>
          type === 'm.presence' &&
          sender === alice.id &&
          content['presence'] === 'unavailable' &&
          content['status_msg'] === 'lunch',
      ),
    )
  })

  test('presence of ghosts: shown, echoed, raised by what they do, and busy only where it is known', async () => {
    const ghost = await newGhost()
    const room = await newRoom()
    await enter(ghost, room)
    const as = { user_id: ghost }
    const show = (presence: string, more = {}): Promise<Asked> =>
      service.ask('PUT', `${V3}/presence/${enc(ghost)}/status`, { presence, ...more }, as)
    expect((await show('unavailable', { status_msg: 'Be right back' })).status).toBe(200)
    const seen = await alice.waitForPresence(ghost, ({ presence }) => presence === 'unavailable')
    expect(seen.status).toBe('Be right back')
    await service.until(() => service.ephemeral.some(({ type, sender }) => type === 'm.presence' && sender === ghost))
    expect((await show('busy')).status).toBe(400)
    expect((await say(room, 'hello', as)).status).toBe(200)
    await alice.waitForPresence(ghost, ({ presence }) => presence === 'online')
    expect((await show('offline')).status).toBe(200)
    await alice.waitForPresence(ghost, ({ presence }) => presence === 'offline')
    expectRefused(
      await service.ask('PUT', `${V3}/presence/${enc(alice.id)}/status`, { presence: 'online' }, as),
      403,
      'M_FORBIDDEN',
    )
  })

  test('media needs a token', async () => {
    const room = await newRoom()
    await alice.sendImage(room, Buffer.from('picture'), 'cat.png')
    const image = await service.until(() => service.events.find(({ content }) => content['msgtype'] === 'm.image'))
    const place = String(image.content['url']).slice('mxc://'.length)
    const get = (path: string, token?: string): Promise<Response> =>
      fetch(
        `${homeserver.url}${path}/${place}`,
        token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
      )
    const answer = await get('/_matrix/client/v1/media/download', service.registration.as_token)
    expect([answer.status, await answer.text(), answer.headers.get('content-type')]).toEqual([
      200,
      'picture',
      'image/png',
    ])
    expect((await get('/_matrix/client/v1/media/download')).status).toBe(401)
    expect((await get('/_matrix/media/v3/download')).status).toBe(404)
  })

  test('an upgraded room says where it went on', async () => {
    const room = await alice.createRoom({ name: 'Old', invite: [`@testbot:${homeserver.domain}`], version: '11' })
    expect((await service.ask('POST', `${V3}/join/${enc(room)}`, {})).status).toBe(200)
    const next = await alice.upgrade(room, '12')
    const tombstone = await service.until(() => service.events.find(({ type }) => type === 'm.room.tombstone'))
    expect(tombstone.content['replacement_room']).toBe(next)
    expectRefused(await service.ask('POST', `${V3}/join/${enc(next)}`, {}), 403, 'M_FORBIDDEN')
    await alice.invite(next, `@testbot:${homeserver.domain}`)
    expect((await service.ask('POST', `${V3}/join/${enc(next)}`, {})).status).toBe(200)
    const state = await service.ask('GET', `${V3}/rooms/${enc(next)}/state/m.room.name`)
    expect(state.body).toEqual({ name: 'Old' })
    const create = await service.ask('GET', `${V3}/rooms/${enc(next)}/state/m.room.create`)
    expect(create.body).toMatchObject({ predecessor: { room_id: room } })
  })

  test('aliases lead to rooms', async () => {
    const room = await alice.createRoom({ preset: 'public_chat' })
    const alias = `#friends${ghosts}:${homeserver.domain}`
    await alice.alias(room, alias)
    const found = await service.ask('GET', `${V3}/directory/room/${enc(alias)}`)
    expect(found.body['room_id']).toBe(room)
    expect((await service.ask('POST', `${V3}/join/${enc(alias)}`, {})).body['room_id']).toBe(room)
    expectRefused(await service.ask('GET', `${V3}/directory/room/${enc('#nothing:localhost')}`), 404, 'M_NOT_FOUND')
  })

  test('account data is kept', async () => {
    const bot = `@testbot:${homeserver.domain}`
    const at = `${V3}/user/${enc(bot)}/account_data/m.direct`
    expectRefused(await service.ask('GET', at), 404, 'M_NOT_FOUND')
    expect((await service.ask('PUT', at, { [alice.id]: ['!room'] })).status).toBe(200)
    expect((await service.ask('GET', at)).body).toEqual({ [alice.id]: ['!room'] })
  })

  test('people talk to each other', async () => {
    const room = await alice.dm(bob.id)
    await bob.waitForInvite((invited) => invited === room)
    await bob.join(room)
    const said = await alice.sendHtml(room, '<b>hi</b> bob', 'hi bob')
    const heard = await bob.waitForMessage(room, 'hi bob')
    expect(heard).toMatchObject({ id: said, sender: alice.id, content: { formatted_body: '<b>hi</b> bob' } })
    await bob.reply(room, said, 'hello')
    expect((await alice.waitForMessage(room, /^hello$/)).content['m.relates_to']).toEqual({
      'm.in_reply_to': { event_id: said },
    })
  })

  // The last one: Synapse shows people as online for a while after a restart, whatever they say.
  test('a transaction id is done once; with a device also over a restart', async () => {
    const ghost = await newGhost()
    const room = await newRoom()
    await enter(ghost, room)
    const device = { user_id: ghost, device_id: 'MSNBRIDGE' }
    expectRefused(await say(room, 'no-device', device), 400, 'M_UNKNOWN_DEVICE')
    const made = await service.ask('PUT', `${V3}/devices/MSNBRIDGE`, {}, { user_id: ghost })
    expect([200, 201]).toContain(made.status)

    const [lasting, passing] = [await say(room, 'one', device), await say(room, 'two', { user_id: ghost })]
    expect(await say(room, 'one', device)).toEqual(lasting)
    expect(await say(room, 'two', { user_id: ghost })).toEqual(passing)
    await homeserver.restart()
    expect(await say(room, 'one', device)).toEqual(lasting)
    const again = await say(room, 'two', { user_id: ghost })
    expect(again.status).toBe(200)
    expect(again.body['event_id']).not.toBe(passing.body['event_id'])
    await alice.until(
      () => alice.messages(room).length === 3,
      () => `${alice.messages(room).length} messages`,
    )
    expect(alice.messages(room).map(bodyOf)).toEqual(['one', 'two', 'two'])
  })
})
