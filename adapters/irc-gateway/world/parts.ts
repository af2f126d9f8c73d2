/** Puts the parts of one person together. */
import type { UserId } from '../../../bridge/model/ids.ts'
import type { Face } from '../types.ts'
import { Behind } from './behind.ts'
import { Claims } from './claims.ts'
import { Contacts } from './contacts.ts'
import { ControlChannels } from './control-channels.ts'
import { GroupChannels } from './group-channels.ts'
import { Hearing } from './hearing.ts'
import { Missed } from './missed.ts'
import { NickBook } from './nick-book.ts'
import { foldNick } from './nicks.ts'
import { Places } from './places.ts'
import { Playback } from './playback.ts'
import { RootVoice } from './root-voice.ts'
import { rowsOf, type Rows, type Shelf } from './shelf.ts'
import { Talk } from './talk.ts'
import { logged, type Self, type WorldOptions } from './types.ts'
import { Written } from './written.ts'

export interface PartsOptions {
  readonly world: WorldOptions
  readonly user: UserId
  readonly shelf: Shelf
  readonly rows: Rows
  readonly faceChanged: ((before: Face | undefined, after: Face | undefined) => void) | undefined
}

export interface Parts {
  readonly book: NickBook
  readonly contacts: Contacts
  readonly controls: ControlChannels
  readonly groups: GroupChannels
  readonly claims: Claims
  readonly places: Places
  readonly missed: Missed
  readonly written: Written
  readonly behind: Behind
  readonly root: RootVoice
  readonly talk: Talk
  readonly hearing: Hearing
  readonly playback: Playback
}

/** What the parts ask of each other they ask later: nothing is called here. */
export const makeParts = (self: Self, { world, shelf, rows, faceChanged }: PartsOptions): Parts => {
  const { mint, playback: limit } = world
  const failed = (what: string) => (error: unknown) => logged(self, what)(error)
  const theContacts = (): Contacts => contacts
  const book = new NickBook({
    shelf,
    rows: rowsOf(rows, 'nick'),
    isReserved: (folded) => folded === foldNick(self.nick) || folded === foldNick(contacts.rootNick()),
    isListed: ({ account, user }) => self.context.people.contact(account, user)?.listed === true,
    failed: failed('nicks could not be kept'),
  })
  const controls = new ControlChannels({
    self,
    shelf,
    rows: rowsOf(rows, 'control'),
    contacts: theContacts,
    since: world.deps.context.clock.now(),
  })
  const claims = new Claims(self)
  const groups = new GroupChannels({ self, shelf, rows: rowsOf(rows, 'group'), contacts: theContacts, claims, mint })
  const contacts: Contacts = new Contacts({
    self,
    book,
    filled: () => controls.filled(),
    isElsewhere: (key) => groups.has(key),
    hasQuit: (key) => groups.quit(key),
    hasReturned: (key) => groups.returned(key),
    rootSays: (line) => root.says(line),
    faceChanged,
  })
  const places = new Places({
    shelf,
    rows: rowsOf(rows, 'place'),
    settings: self.settings,
    isIn: (channel) => (controls.byName(channel) ?? groups.byName(channel)) !== undefined,
    control: () => controls.main(),
    failed: failed('the place of a talk could not be kept'),
  })
  const missed = new Missed({ shelf, rows: rowsOf(rows, 'missed'), lost: rowsOf(rows, 'lost'), limit })
  const written = new Written(world.confirm)
  const root = new RootVoice({ self, contacts, controls, missed })
  const talk = new Talk({ self, contacts, groups, claims, places, mint })
  const behind = new Behind()
  const hearing = new Hearing({ self, contacts, groups, claims, places, missed, written, behind, root })
  const playback = new Playback({ self, contacts, hearing, control: () => controls.main(), limit })
  return { book, contacts, controls, groups, claims, places, missed, written, behind, root, talk, hearing, playback }
}
