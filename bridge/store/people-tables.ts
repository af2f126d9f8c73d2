/** People, contacts, portals and adapters' facts in SQLite. Every function here runs inside a transaction of the caller. */
import type { AccountId, ChatId, ChatRef, NetworkId, PersonId, PortalId, UserId } from '../model/ids.ts'
import type {
  AccountRow,
  ContactRow,
  IdentityRow,
  Leg,
  LegId,
  PersonRow,
  Portal,
  PortalKind,
  PortalOrigin,
} from './port.ts'
import type { Tables } from './tables.ts'

export const putPerson = (tables: Tables, person: PersonRow): void => {
  tables.run(
    'INSERT INTO person (id, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = excluded.name',
    person.id,
    person.name,
  )
}

export const identities = (tables: Tables): readonly IdentityRow[] =>
  tables
    .all<{ network: NetworkId; user: UserId; person: PersonId }>('SELECT network, user, person FROM identity')
    .map(({ network, user, person }) => ({ user: { network, user }, person }))

export const putIdentity = (tables: Tables, { user, person }: IdentityRow): void => {
  tables.run(
    'INSERT INTO identity (network, user, person) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET person = excluded.person',
    user.network,
    user.user,
    person,
  )
}

export const accountFacts = (tables: Tables, account: AccountId): ReadonlyMap<string, string> =>
  new Map(
    tables
      .all<{ key: string; value: string }>('SELECT key, value FROM account_fact WHERE account = ?', account)
      .map(({ key, value }) => [key, value]),
  )

export const setAccountFact = (tables: Tables, account: AccountId, key: string, value: string | undefined): void => {
  if (value === undefined) tables.run('DELETE FROM account_fact WHERE account = ? AND key = ?', account, key)
  else
    tables.run(
      'INSERT INTO account_fact (account, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      account,
      key,
      value,
    )
}

interface AccountRecord extends Omit<AccountRow, 'wanted' | 'createdAt'> {
  readonly wanted: number
  readonly created_at: number
}

export const signedIn = (tables: Tables): readonly AccountRow[] =>
  tables
    .all<AccountRecord>('SELECT * FROM account ORDER BY created_at, id')
    .map(({ created_at, wanted, ...row }) => ({ ...row, wanted: wanted === 1, createdAt: created_at }))

export const putAccount = (tables: Tables, row: AccountRow): void => {
  tables.run(
    'INSERT OR REPLACE INTO account (id, network, person, login, secret, wanted, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    row.id,
    row.network,
    row.person,
    row.login,
    row.secret,
    Number(row.wanted),
    row.createdAt,
  )
}

export const removeAccount = (tables: Tables, account: AccountId): void => {
  for (const table of ['contact', 'account_fact'] as const)
    tables.run(`DELETE FROM ${table} WHERE account = ?`, account)
  tables.run('DELETE FROM account WHERE id = ?', account)
}

interface ContactRecord {
  readonly account: AccountId
  readonly user: UserId
  readonly name: string
  readonly listed: number
  readonly blocked: number
  readonly has_us: number
  readonly nickname: string | null
}

/** All of one account, or of all. */
export const contacts = (tables: Tables, account: AccountId | undefined): readonly ContactRow[] =>
  (account === undefined
    ? tables.all<ContactRecord>('SELECT * FROM contact ORDER BY account, user')
    : tables.all<ContactRecord>('SELECT * FROM contact WHERE account = ? ORDER BY user', account)
  ).map((row) => ({
    account: row.account,
    user: row.user,
    name: row.name,
    listed: row.listed === 1,
    blocked: row.blocked === 1,
    hasUs: row.has_us === 1,
    ...(row.nickname === null ? {} : { nickname: row.nickname }),
  }))

export const updateContacts = (
  tables: Tables,
  account: AccountId,
  put: readonly ContactRow[],
  remove: readonly UserId[],
): void => {
  for (const user of remove) tables.run('DELETE FROM contact WHERE account = ? AND user = ?', account, user)
  for (const row of put)
    tables.run(
      'INSERT OR REPLACE INTO contact (account, user, name, listed, blocked, has_us, nickname) VALUES (?, ?, ?, ?, ?, ?, ?)',
      account,
      row.user,
      row.name,
      Number(row.listed),
      Number(row.blocked),
      Number(row.hasUs),
      row.nickname ?? null,
    )
}

interface LegRecord {
  readonly id: LegId
  readonly portal: PortalId
  readonly network: NetworkId
  readonly via: AccountId
  readonly request: string
  readonly chat: ChatId | null
  readonly chat_account: AccountId | null
  readonly flow: Leg['flow']
}

const legOf = (row: LegRecord): Leg => ({
  id: row.id,
  portal: row.portal,
  network: row.network,
  via: row.via,
  request: JSON.parse(row.request) as Leg['request'],
  flow: row.flow,
  ...(row.chat === null
    ? {}
    : {
        chat: {
          network: row.network,
          chat: row.chat,
          ...(row.chat_account === null ? {} : { account: row.chat_account }),
        },
      }),
})

export const portals = (tables: Tables): readonly Portal[] => {
  const legs = Map.groupBy(
    tables.all<LegRecord>('SELECT * FROM leg ORDER BY portal, position').map(legOf),
    (leg) => leg.portal,
  )
  return tables
    .all<{ id: PortalId; kind: PortalKind; origin: PortalOrigin }>('SELECT id, kind, origin FROM portal ORDER BY id')
    .map((row) => ({ ...row, legs: legs.get(row.id) ?? [] }))
}

export const updatePortals = (tables: Tables, put: readonly Portal[], remove: readonly PortalId[]): void => {
  for (const id of [...remove, ...put.map((portal) => portal.id)]) tables.run('DELETE FROM portal WHERE id = ?', id)
  for (const portal of put) {
    tables.run('INSERT INTO portal (id, kind, origin) VALUES (?, ?, ?)', portal.id, portal.kind, portal.origin)
    for (const [position, leg] of portal.legs.entries())
      tables.run(
        'INSERT INTO leg (id, portal, position, network, via, request, chat, chat_account, flow) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        leg.id,
        portal.id,
        position,
        leg.network,
        leg.via,
        JSON.stringify(leg.request),
        leg.chat?.chat ?? null,
        leg.chat?.account ?? null,
        leg.flow,
      )
  }
}

export const setLegChat = (tables: Tables, leg: LegId, chat: ChatRef): void => {
  tables.run('UPDATE leg SET chat = ?, chat_account = ? WHERE id = ?', chat.chat, chat.account ?? null, leg)
}

export const stateOf = (tables: Tables, network: NetworkId, key: string): string | undefined =>
  tables.one<{ value: string }>('SELECT value FROM adapter_state WHERE network = ? AND key = ?', network, key)?.value

export const listState = (
  tables: Tables,
  network: NetworkId,
  prefix: string,
): readonly (readonly [key: string, value: string])[] =>
  tables
    .all<{ key: string; value: string }>(
      'SELECT key, value FROM adapter_state WHERE network = ? AND key >= ? AND substr(key, 1, length(?)) = ? ORDER BY key',
      network,
      prefix,
      prefix,
      prefix,
    )
    .map(({ key, value }) => [key, value] as const)

export const updateState = (
  tables: Tables,
  network: NetworkId,
  changes: readonly (readonly [key: string, value: string | undefined])[],
): void => {
  for (const [key, value] of changes)
    if (value === undefined) tables.run('DELETE FROM adapter_state WHERE network = ? AND key = ?', network, key)
    else
      tables.run(
        'INSERT INTO adapter_state (network, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
        network,
        key,
        value,
      )
}
