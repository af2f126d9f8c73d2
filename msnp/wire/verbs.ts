/** Which side sends a line. */
export type Side = 'client' | 'server'
/** dispatch, notification, switchboard. */
export type Role = 'DS' | 'NS' | 'SB'

/** How one side writes a command. */
export interface Shape {
  /** first: the first parameter is the transaction id. none: there is none. some: only in an answer, not when unasked. */
  readonly trid: 'first' | 'none' | 'some'
  /**
   * none: the line is all. length: the last parameter counts the bytes that follow. maybe: it does if it is a number
   * (`QRY 11 id 32`, but `ADL 5 OK`).
   */
  readonly payload: 'none' | 'length' | 'maybe'
  /** The last dialect in which this side has it, where the other one keeps it. */
  readonly until?: number
}

export interface Verb {
  readonly verb: string
  readonly roles: readonly Role[]
  readonly client?: Shape
  readonly server?: Shape
  /** First and last dialect that has it, as the number in MSNP<n>. */
  readonly since?: number
  readonly until?: number
  readonly meaning: string
}

const plain = { trid: 'first', payload: 'none' } as const
/** The server keeps them for SYN. */
const upToNine = { ...plain, until: 9 } as const
const bare = { trid: 'none', payload: 'none' } as const
const sometimes = { trid: 'some', payload: 'none' } as const
const withPayload = { trid: 'first', payload: 'length' } as const
const barePayload = { trid: 'none', payload: 'length' } as const

/** THE verb table. Source: docs/protocol.md, Commands. */
export const VERBS: readonly Verb[] = [
  { verb: 'ACK', roles: ['SB'], server: plain, meaning: 'the message reached the others' },
  { verb: 'ADC', roles: ['NS'], client: plain, server: plain, since: 10, meaning: 'add to a list, by key and value' },
  { verb: 'ADD', roles: ['NS'], client: plain, server: plain, until: 9, meaning: 'add a person to a list' },
  { verb: 'ADG', roles: ['NS'], client: plain, server: plain, meaning: 'add a group' },
  { verb: 'ANS', roles: ['SB'], client: plain, server: plain, meaning: 'answer an invitation' },
  { verb: 'BLP', roles: ['NS'], client: plain, server: sometimes, meaning: 'privacy for people on neither AL nor BL' },
  { verb: 'BPR', roles: ['NS'], server: bare, meaning: 'a phone number of a contact' },
  { verb: 'BYE', roles: ['SB'], server: bare, meaning: 'a person left' },
  { verb: 'CAL', roles: ['SB'], client: plain, server: plain, meaning: 'invite a person' },
  { verb: 'CFM', roles: ['NS', 'SB'], client: plain, server: plain, meaning: 'what arrived is stored, our own' },
  { verb: 'CHG', roles: ['NS'], client: plain, server: plain, meaning: 'change our status' },
  { verb: 'CHL', roles: ['NS', 'SB'], server: plain, meaning: 'challenge to the client' },
  { verb: 'CVQ', roles: ['DS', 'NS'], client: plain, server: plain, meaning: 'client version, a variant' },
  { verb: 'CVR', roles: ['DS', 'NS', 'SB'], client: plain, server: plain, meaning: 'client version' },
  { verb: 'FLN', roles: ['NS'], server: bare, meaning: 'a contact went offline' },
  { verb: 'FND', roles: ['NS'], client: plain, until: 7, meaning: 'find people' },
  {
    verb: 'GCF',
    roles: ['NS'],
    client: plain,
    server: { trid: 'first', payload: 'maybe' },
    since: 11,
    meaning: 'client policy file',
  },
  { verb: 'GTC', roles: ['NS'], client: plain, server: sometimes, meaning: 'prompt when somebody adds us' },
  { verb: 'ILN', roles: ['NS'], server: plain, meaning: 'a contact is already online' },
  { verb: 'IMS', roles: ['NS'], client: plain, server: plain, meaning: 'instant messages on or off' },
  { verb: 'INF', roles: ['DS', 'NS', 'SB'], client: plain, server: plain, meaning: 'which ways to authenticate' },
  { verb: 'IPG', roles: ['NS'], server: barePayload, meaning: 'incoming page' },
  { verb: 'IRO', roles: ['SB'], server: plain, meaning: 'who is already there' },
  { verb: 'JOI', roles: ['SB'], server: bare, meaning: 'a person joined' },
  { verb: 'LSG', roles: ['NS'], client: upToNine, server: sometimes, meaning: 'a contact group' },
  { verb: 'LST', roles: ['NS'], client: upToNine, server: sometimes, meaning: 'a contact' },
  { verb: 'MSG', roles: ['NS', 'SB'], client: withPayload, server: barePayload, meaning: 'a message' },
  { verb: 'NAK', roles: ['SB'], server: plain, meaning: 'the message did not reach the others' },
  { verb: 'NLN', roles: ['NS'], server: bare, meaning: 'a contact is online or changed' },
  { verb: 'NOT', roles: ['NS'], client: withPayload, server: barePayload, meaning: 'notification as XML' },
  { verb: 'OUT', roles: ['DS', 'NS', 'SB'], client: bare, server: bare, meaning: 'the end of the connection' },
  { verb: 'PAG', roles: ['NS'], client: withPayload, server: plain, until: 8, meaning: 'page a mobile phone' },
  { verb: 'PGD', roles: ['NS'], client: withPayload, server: plain, since: 9, meaning: 'page a mobile phone' },
  { verb: 'PNG', roles: ['NS', 'SB'], client: bare, meaning: 'are you there' },
  {
    verb: 'PRP',
    roles: ['NS'],
    client: plain,
    server: sometimes,
    meaning: 'a phone number of our own; from MSNP10 our name too',
  },
  { verb: 'QNG', roles: ['NS', 'SB'], server: bare, meaning: 'answer to PNG' },
  { verb: 'QRY', roles: ['NS', 'SB'], client: withPayload, server: plain, meaning: 'answer to a challenge' },
  { verb: 'REA', roles: ['NS'], client: plain, server: plain, until: 9, meaning: 'rename ourselves or a contact' },
  { verb: 'REG', roles: ['NS'], client: plain, server: plain, meaning: 'rename a group' },
  { verb: 'REM', roles: ['NS'], client: plain, server: plain, meaning: 'remove a person from a list' },
  { verb: 'RMG', roles: ['NS'], client: plain, server: plain, meaning: 'remove a group' },
  { verb: 'RNG', roles: ['NS'], server: bare, meaning: 'somebody invites us to a switchboard' },
  { verb: 'SBP', roles: ['NS'], client: plain, server: plain, since: 10, meaning: 'set a property of a contact' },
  { verb: 'SBS', roles: ['NS'], server: plain, since: 11, meaning: 'mobile credits' },
  { verb: 'SDC', roles: ['NS'], client: withPayload, server: plain, meaning: 'invite by mail' },
  { verb: 'SIT', roles: ['SB'], client: plain, meaning: 'somebody takes part through us, or no more, our own' },
  { verb: 'SND', roles: ['NS'], client: plain, server: plain, meaning: 'invite by mail, an older form' },
  { verb: 'SPK', roles: ['SB'], client: withPayload, meaning: 'the next message as one of them says it, our own' },
  { verb: 'SYN', roles: ['NS'], client: plain, server: plain, meaning: 'synchronise the lists' },
  { verb: 'UBX', roles: ['NS'], server: barePayload, since: 11, meaning: 'personal message of a contact' },
  { verb: 'URL', roles: ['NS'], client: plain, server: plain, meaning: 'where a web page of the service is' },
  { verb: 'USR', roles: ['DS', 'NS', 'SB'], client: plain, server: plain, meaning: 'who we are' },
  {
    verb: 'UUX',
    roles: ['NS'],
    client: withPayload,
    server: { trid: 'first', payload: 'maybe' },
    since: 11,
    meaning: 'our personal message',
  },
  { verb: 'VER', roles: ['DS', 'NS'], client: plain, server: plain, meaning: 'which dialects' },
  { verb: 'XFR', roles: ['DS', 'NS'], client: plain, server: plain, meaning: 'go to another server' },
]

const BY_NAME: ReadonlyMap<string, Verb> = new Map(VERBS.map((row) => [row.verb, row]))

/** The row of a command; undefined for an unknown one. Names are upper case on the wire. */
export const verbOf = (verb: string): Verb | undefined => BY_NAME.get(verb)

const payloads = (side: Side): ReadonlyMap<string, 'length' | 'maybe'> =>
  new Map(
    VERBS.flatMap((row) => {
      const payload = row[side]?.payload
      return payload === undefined || payload === 'none' ? [] : [[row.verb, payload] as const]
    }),
  )
const PAYLOADS = { client: payloads('client'), server: payloads('server') }

/** Whether bytes follow a line that `side` sent. */
export const payloadRule = (verb: string, side: Side): 'length' | 'maybe' | undefined => PAYLOADS[side].get(verb)
