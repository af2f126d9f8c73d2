/** What happens at once when a person sets something. */
import { maskOf } from '../types.ts'
import { opsOf } from './fillings.ts'
import type { Parts } from './parts.ts'
import { modesBetween } from './presence.ts'
import { modeLine } from './shapes.ts'
import type { Self } from './types.ts'

/** `before`: what it was. */
export const settingChanged = (self: Self, parts: Parts, name: string, before: string): void => {
  const [scope, , key = name] = name.split('/')
  const { contacts, controls } = parts
  if (scope === 'channel' || key === 'tag') {
    const filled = controls.filled()
    controls.refresh()
    if (self.clients.size > 0) contacts.refill(filled)
  } else if (key === 'ops') opsChanged(self, parts, before)
  else if (key === 'root_nick') rootRenamed(self, parts, before)
  if (/^(nick_\w+|utf8_nicks|tag)$/.test(key)) contacts.renameAll()
}

const opsChanged = (self: Self, { contacts, controls }: Parts, before: string): void => {
  const was = opsOf(before)
  const now = opsOf(self.settings.get('ops'))
  const { server } = self.deps
  const lines = [...controls.all()].flatMap(({ name }) => [
    ...modeLine(server, name, modesBetween(was.root, now.root), contacts.rootNick()),
    ...modeLine(server, name, modesBetween(was.self, now.self), self.nick),
  ])
  self.tell(() => lines)
}

const rootRenamed = (self: Self, { contacts }: Parts, before: string): void => {
  const was = before === '' ? 'root' : before
  if (was === contacts.rootNick()) return
  const source = maskOf({ ...contacts.root(), nick: was })
  self.tell(() => [{ source, verb: 'NICK', params: [contacts.rootNick()] }])
}
