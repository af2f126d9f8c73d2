/** Whatever comes from elsewhere, in any field of any operation: clients get lines that hold, of the kinds that belong to it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import '../../../kit/properties.ts'
import type { Outbound } from '../../../../bridge/model/events.ts'
import type { ChatId, EventId, MessageId, PortalId, UserId } from '../../../../bridge/model/ids.ts'
import { CAP_NAMES, type Cap } from '../../../../adapters/irc-gateway/wire/caps.ts'
import { encode, type ServerMessage } from '../../../../adapters/irc-gateway/wire/message.ts'
import { ALICE, FakeClient, GATEWAY, ghost, MSN, RETRO, World } from './rig.ts'

const words = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 700 }),
  fc.stringMatching(/^[\r\n\0\x01\x02:!@ ,#&a-zé💩]{0,700}$/u),
  fc.constantFrom('\r\nQUIT :gone', '\nJOIN #b', ':', '', ' ', '\0', '#', '&', 'a'.repeat(600), '日'.repeat(300)),
)
const user = fc.oneof(
  fc.emailAddress(),
  words,
  fc.constantFrom('bob@home.example', `${'é'.repeat(200)}@${'日'.repeat(200)}.example`),
)

/** What a client may be sent without having asked; anything else was made by somebody's words. */
const VERBS =
  /^(?:JOIN|PART|QUIT|KICK|NICK|MODE|AWAY|SETNAME|TOPIC|PRIVMSG|NOTICE|TAGMSG|MARKREAD|BATCH|332|333|353|366)$/

/** Keeps the lines as they go out. */
class Raw extends FakeClient {
  readonly raw: string[] = []

  override send(...messages: readonly ServerMessage[]): void {
    for (const message of messages) this.raw.push(encode(message, this.caps, 'localhost'))
  }
}

const ops = (who: string, name: string, said: string, other: string): readonly Outbound[] => {
  const key = { account: RETRO, user: who as UserId }
  const as = ghost(key, name)
  const text = [{ text: said }]
  const somebody = { network: MSN, user: other as UserId }
  const target = said as MessageId
  return [
    ...(['text', 'action', 'notice'] as const).map((kind): Outbound => ({
      kind: 'message',
      as,
      at: Number.NaN,
      body: { kind, text },
    })),
    { kind: 'message', as: { kind: 'self' }, at: 0, body: { kind: 'text', text } },
    { kind: 'message', as, at: 1e300, body: { kind: 'nudge' } },
    {
      kind: 'message',
      as,
      at: 0,
      body: { kind: 'file', file: { network: MSN, ref: said, name: other, url: said, media: 'file' }, text },
    },
    { kind: 'edit', as, target, body: { kind: 'text', text } },
    { kind: 'typing', as, forMs: 6_000 },
    { kind: 'topic', as, topic: said },
    { kind: 'status', text },
    { kind: 'delivery', target, outcome: 'refused', text },
    { kind: 'member', as, user: somebody, userName: name, change: 'join' },
    { kind: 'member', as, user: somebody, userName: name, change: 'kick', reason: said },
    { kind: 'member', as, user: { network: MSN, user: who as UserId }, userName: name, change: 'leave', reason: said },
  ]
}

test('lines are whole, of at most 512 bytes, and none is made by what is in another', async () => {
  await fc.assert(
    fc.asyncProperty(
      user,
      words,
      words,
      user,
      fc.subarray([...CAP_NAMES]),
      fc.boolean(),
      async (who, name, said, other, caps: readonly Cap[], isPrivate) => {
        const w = new World()
        w.account()
        const key = { account: RETRO, user: who as UserId }
        const client = new Raw('alice', caps)
        const person = await w.alice()
        await person.settings.set('private', String(isPrivate))
        await person.settings.set('typing_notice', 'true')
        person.attach(client)
        w.contact(key, 'online', { name, nickname: other, groups: [said], text: said })
        w.contact(key, 'busy', { name: said, text: other })
        const opened = await w.session.open({
          kind: 'portal',
          portal: said as PortalId,
          owner: ALICE,
          account: RETRO,
          login: who,
          direct: false,
          with: [who, other].map((one) => ({ user: { network: MSN, user: one as UserId }, name })),
          title: said,
        })
        const group = opened.kind === 'opened' ? opened.chat.chat : ('' as ChatId)
        const direct = `direct/alice/${RETRO}/${encodeURIComponent(who.toWellFormed() || 'x')}` as ChatId
        for (const op of ops(who, name, said, other))
          for (const chat of [group, direct])
            await w.session.deliver({ id: said as EventId, chat: { network: GATEWAY, chat }, op })
        person.rootSays(said)
        await person.setTopic('&bitlbee', said)
        for (const channel of [...person.channels()]) await person.part(channel.name, said)
        person.attach(new Raw('alice', caps))
        w.contact(key, 'offline', { name: other })
        w.remove(key)
        for (const line of client.raw) {
          expect(line).toMatch(/^[^\r\n\0]+\r\n$/)
          const bare = line.startsWith('@') ? line.slice(line.indexOf(' ') + 1) : line
          expect(Buffer.byteLength(bare)).toBeLessThanOrEqual(512)
          expect(bare.replace(/^:\S+ /, '').split(/[ \r]/)[0]).toMatch(VERBS)
          // Masks have their three parts, so that no text stands for a name.
          expect(/^:(\S+) /.exec(bare)?.[1]).toMatch(/^[^!@]+$|^[^!@]+![^!@]+@[^!@]+$/)
        }
      },
    ),
    { numRuns: 60 },
  )
}, 60_000)

test('everybody in a channel is in its names, however long all of them are called', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(user, { maxLength: 40 }), fc.subarray([...CAP_NAMES]), async (users, caps) => {
      const w = new World()
      w.account()
      await (await w.alice()).settings.set('show_users', 'online@,away+')
      for (const one of users) w.contact({ account: RETRO, user: one as UserId }, 'online')
      const quiet = new Set<Cap>(['no-implicit-names', 'draft/no-implicit-names'])
      const client = new Raw(
        'alice',
        caps.filter((cap) => !quiet.has(cap)),
      )
      const person = await w.alice()
      person.attach(client)
      const names = client.raw.flatMap((line) => / 353 alice = &bitlbee :(.*)\r\n$/.exec(line)?.[1]?.split(' ') ?? [])
      const nicks = names.map((name) => name.replace(/^[@%+]+|!.*$/g, ''))
      expect(nicks.toSorted()).toEqual((person.channel('&bitlbee')?.members() ?? []).map(({ nick }) => nick).toSorted())
      for (const line of client.raw) expect(Buffer.byteLength(line.replace(/^@\S+ /, ''))).toBeLessThanOrEqual(512)
    }),
    { numRuns: 60 },
  )
})
