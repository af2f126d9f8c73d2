/** Accounts of a service in a map, with their passwords in the clear: for tests of everything but accounts. */
import { newAccount, type AccountRecord, type Host, type ServiceNotice } from '../../msnp/index.ts'

export class MapHost implements Host {
  readonly records = new Map<string, AccountRecord>()
  readonly passwords = new Map<string, string>()
  readonly notices: ServiceNotice[] = []
  /** Answers instead of the comparison. */
  verdict: 'throttled' | Error | undefined

  add(email: string, password: string, name = email.split('@')[0]): void {
    this.records.set(email, newAccount(email, name))
    this.passwords.set(email, password)
  }

  async verifyPassword(email: string, password: string): Promise<'right' | 'wrong' | 'throttled'> {
    if (this.verdict instanceof Error) throw this.verdict
    return this.verdict ?? (this.passwords.get(email) === password ? 'right' : 'wrong')
  }

  async load(email: string): Promise<AccountRecord | undefined> {
    return this.records.get(email)
  }

  async save(records: readonly AccountRecord[]): Promise<void> {
    for (const record of records) this.records.set(record.email, record)
  }

  onNotice(notice: ServiceNotice): void {
    this.notices.push(notice)
  }

  of<Kind extends ServiceNotice['kind']>(kind: Kind): Extract<ServiceNotice, { kind: Kind }>[] {
    return this.notices.filter((notice): notice is Extract<ServiceNotice, { kind: Kind }> => notice.kind === kind)
  }
}
