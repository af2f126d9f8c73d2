/** Lines that a hostile, a broken or merely a busy client might send to a notification server. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { contactGuid, groupGuid } from '../../msnp/service/guids.ts'
import { VERBS } from '../../msnp/wire/verbs.ts'

const trid = fc.nat(9)
const list = fc.constantFrom('FL', 'AL', 'BL', 'RL')
const address = fc.constantFrom('alice', 'bob', 'carol', 'none').map((name) => `${name}@example.com`)
const group = fc.constantFrom('', '0', '1', '2', '9')
const name = fc.constantFrom('Bob', 'Caf%C3%A9', '%00', '%', '\xff', '1')

const sense = fc.oneof(
  fc.tuple(list, address, name, group).map((words) => `ADD 1 ${words.join(' ')}`),
  fc.tuple(list, address, group).map((words) => `REM 2 ${words.join(' ')}`),
  fc.tuple(address, name).map((words) => `REA 3 ${words.join(' ')}`),
  name.map((word) => `ADG 4 ${word} 0`),
  fc.tuple(group, name).map((words) => `REG 5 ${words.join(' ')} 0`),
  group.map((word) => `RMG 6 ${word}`),
  fc
    .tuple(fc.constantFrom('PHH', 'MOB', 'MBE'), fc.constantFrom('', '555', 'Y', 'N'))
    .map((words) => `PRP 7 ${words.join(' ')}`),
  fc.constantFrom('BLP 8 AL', 'BLP 8 BL', 'GTC 8 A', 'GTC 8 N'),
  fc.constantFrom('NLN', 'HDN', 'AWY', 'FLN').map((status) => `CHG 9 ${status} 268435456`),
  fc.constantFrom('SYN 0 0', 'SYN 0 3', 'LST 0 RL', 'LSG 0', 'XFR 0 SB', 'URL 0 INBOX', 'PNG', 'INF 0'),
)

/** Ids of those that there may be, of others, and words that are none. */
const owner = fc.constantFrom('alice', 'bob').map((who) => `${who}@example.com`)
const contactId = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(owner, address).map((pair) => contactGuid(...pair)) },
  { weight: 1, arbitrary: fc.constantFrom('1', 'bob@example.com', '00000000-0000-4000-8000-000000000000') },
)
const groupId = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(owner, fc.constantFrom(1, 2), fc.nat(6))
      .map(([who, id, since]) => groupGuid(who, { id, name: '', since })),
  },
  { weight: 1, arbitrary: fc.constantFrom('', '1', 'Bob', 'Caf%25C3%25A9') },
)
const personal = fc
  .oneof(
    fc.constantFrom(
      '',
      '<Data><PSM>me</PSM></Data>',
      '<PSM/>',
      '<CurrentMedia>a\\0Music\\01\\0{0}\\0x\\0</CurrentMedia>',
    ),
    fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `<Data><PSM>${text}</PSM></Data>`),
  )
  .map((text) => `UUX 12 ${Buffer.byteLength(text, 'latin1')}\r\n${text}`)

/** The same for MSNP10 and later. */
const keyedSense = fc.oneof(
  fc.tuple(list, address, name).map(([on, who, called]) => `ADC 1 ${on} N=${who} F=${called}`),
  fc.tuple(contactId, groupId).map(([who, into]) => `ADC 1 FL C=${who} ${into}`),
  fc.tuple(contactId, groupId).map((words) => `REM 2 FL ${words.join(' ')}`),
  fc.tuple(fc.constantFrom('AL', 'BL', 'PL'), address).map((words) => `REM 2 ${words.join(' ')}`),
  fc.tuple(contactId, name).map(([who, called]) => `SBP 3 ${who} MFN ${called}`),
  name.map((called) => `PRP 7 MFN ${called}`),
  fc.tuple(groupId, name).map((words) => `REG 5 ${words.join(' ')} 0`),
  groupId.map((word) => `RMG 6 ${word}`),
  fc.constantFrom('SYN 0 0 0', 'GCF 0 Shields.xml'),
  personal,
)

const word = fc.oneof(
  fc.constantFrom('0', '7', '99999999999', '-1', '%E2%98', '@', 'MSNP9', 'TWN', 'I', 'S', '__proto__', 'constructor'),
  address,
  fc.string({ unit: 'binary', maxLength: 12 }),
)
const withoutPayload = VERBS.filter(({ client }) => client?.payload === 'none').map((row) => row.verb)
const nonsense = fc
  .tuple(fc.constantFrom(...withoutPayload, 'ABC', ''), trid, fc.array(word, { maxLength: 6 }))
  .map(([verb, ...words]) => `${verb} ${words.flat().join(' ')}`)
const fatal = fc
  .tuple(fc.constantFrom(...VERBS.map((row) => row.verb)), fc.array(word, { maxLength: 4 }))
  .map(([verb, words]) => `${verb} 1 ${words.join(' ')}`)

/** Framed lines: most make sense, some make none, a few end the connection. */
export const conversation = fc
  .array(
    fc.oneof(
      { weight: 25, arbitrary: sense },
      { weight: 25, arbitrary: keyedSense },
      { weight: 20, arbitrary: nonsense },
      { weight: 1, arbitrary: fatal },
    ),
    { maxLength: 60, size: 'max' },
  )
  .map((lines) =>
    Buffer.from(lines.map((line) => (line.startsWith('UUX 12 ') ? line : `${line}\r\n`)).join(''), 'latin1'),
  )

/** That, and plain noise. */
export const anyBytes = fc.oneof(conversation, fc.uint8Array({ maxLength: 2_000, size: 'max' }))
