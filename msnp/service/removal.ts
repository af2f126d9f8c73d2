import type { AccountRecord, Host } from './contract.ts'
import { isOn, removeWatcher } from './lists.ts'

/** Whom an account has on FL: they have it on RL. */
export const watchedBy = (record: AccountRecord): readonly string[] =>
  record.contacts.flatMap((contact) => (isOn(contact, 'FL') ? [contact.email] : []))

/** The others' records once this account, which is about to go, is off their RL; those that do not change are left out. */
export async function withoutWatcher(
  record: AccountRecord,
  read: (email: string) => Promise<AccountRecord | undefined>,
): Promise<readonly AccountRecord[]> {
  const changed: AccountRecord[] = []
  for (const email of watchedBy(record)) {
    const other = await read(email)
    const next = other === undefined ? undefined : removeWatcher(other, record.email)
    if (next !== undefined && next !== other) changed.push(next)
  }
  return changed
}

/** For a service that is not running: takes an account, which is about to go, off the others' RL. */
export async function forgetWatcher(record: AccountRecord, host: Pick<Host, 'load' | 'save'>): Promise<void> {
  const others = await withoutWatcher(record, (email) => host.load(email))
  if (others.length > 0) await host.save(others)
}
