import { describe, expect, it } from 'vitest'
import { newAccount, type AccountRecord, type ContactRecord } from '../../../msnp/service/contract.ts'
import { contactByGuid, contactGuid, groupGuid } from '../../../msnp/service/guids.ts'

const ALICE = 'alice@example.com'
const BOB = 'bob@example.com'
const contact = (email: string, lists: number): ContactRecord => ({ email, name: email, lists, groups: [] })

describe('ids of the service', () => {
  it('are the same in every version: clients keep them', () => {
    expect(contactGuid(ALICE, BOB)).toBe('f3dbb09d-866f-4edb-be59-0e340c1cd095')
    expect(groupGuid(ALICE, { id: 1, name: 'Old' })).toBe('e8be5871-c995-42f6-ba29-4ea88cd39e8f')
  })

  it('are of people on FL, in whatever case, with braces and without', () => {
    const record = { ...newAccount(ALICE), contacts: [contact(BOB, 3), contact('eve@example.com', 10)] }
    const id = contactGuid(ALICE, BOB)
    for (const word of [id, `{${id}}`, id.toUpperCase()]) expect(contactByGuid(record, word)?.email).toBe(BOB)
    expect(contactByGuid(record, contactGuid(ALICE, 'eve@example.com'))).toBeUndefined()
    expect(contactByGuid(record, contactGuid(BOB, BOB))).toBeUndefined()
  })

  it('are not derived anew for each of a flood of ids that nobody has', () => {
    let reads = 0
    const record: AccountRecord = {
      ...newAccount(ALICE),
      get contacts() {
        reads++
        return [contact(BOB, 3)]
      },
    }
    for (let at = 0; at < 100; at++) expect(contactByGuid(record, contactGuid(ALICE, `p${at}@x`))).toBeUndefined()
    expect(reads).toBe(1)
  })

  it('are found for however many accounts, each in the version that is asked for', () => {
    const records = Array.from({ length: 100 }, (_, at) => ({
      ...newAccount(`a${at}@example.com`),
      contacts: [contact(BOB, 3)],
    }))
    for (const record of [...records, ...records.toReversed()]) {
      expect(contactByGuid(record, contactGuid(record.email, BOB))?.email).toBe(BOB)
      const without = { ...record, contacts: [contact(BOB, 2)] }
      expect(contactByGuid(without, contactGuid(record.email, BOB))).toBeUndefined()
    }
  })
})
