/** A demo contact: somebody on the MSN service who comes online, goes away, answers and nudges, with the library's client. */
import {
  MsnClient,
  nudgeMessage,
  parseMime,
  parseSaid,
  textMessage,
  typingMessage,
  type MsnClientEvent,
  type Status,
  type Switchboard,
} from '../msnp/index.ts'

/** What a contact does, one thing after the other, and then again from the beginning. Pauses in steps. */
export type Doing =
  | { readonly kind: 'status'; readonly status: Status; readonly steps: number }
  | { readonly kind: 'gone'; readonly steps: number }

export interface Character {
  readonly address: string
  readonly name: string
  readonly password: string
  /** What they say by themselves to somebody who has just come. */
  readonly hello: string
  /** One answer for each thing that is said to them, in turn. */
  readonly answers: readonly string[]
  /** They shake the window after so many answers. */
  readonly nudgesAfter: number
  readonly day: readonly Doing[]
}

export interface ContactOptions {
  readonly character: Character
  readonly server: { readonly host: string; readonly port: number }
  readonly nexus: string
  /** Certificate of the login page, PEM. */
  readonly ca: string
  /** Milliseconds of one step: everything takes one or more of them. */
  readonly stepMs: number
  /** Whether they put this address on their list. */
  readonly isFriend: (address: string) => boolean
  readonly log: (line: string) => void
}

/** People whom one contact has said hello to; past it the first are greeted again. */
const MAX_GREETED = 1_000

export class DemoContact {
  readonly #options: ContactOptions
  readonly #stopping = new AbortController()
  readonly #greeted = new Set<string>()
  readonly #said = new Map<string, number>()
  readonly #friends = new Set<string>()
  #client: MsnClient | undefined

  constructor(options: ContactOptions) {
    this.#options = options
  }

  get address(): string {
    return this.#options.character.address
  }

  /** Lives through its day until `stop`. */
  async live(): Promise<void> {
    const { day } = this.#options.character
    for (let at = 0; !this.#stopping.signal.aborted; at = (at + 1) % day.length) {
      const doing = day[at]
      if (doing !== undefined) await this.#do(doing)
    }
    await this.#leave()
  }

  stop(): void {
    this.#stopping.abort()
  }

  /** Somebody new on the service. */
  async befriend(address: string): Promise<void> {
    if (this.#friends.has(address) || this.#client === undefined) return
    const added = await this.#client.add(address)
    if (added.ok || added.failure.kind === 'refused') this.#friends.add(address)
  }

  async #do(doing: Doing): Promise<void> {
    switch (doing.kind) {
      case 'gone':
        await this.#leave()
        break
      case 'status':
        await this.#appear(doing.status)
    }
    await this.#pause(doing.steps)
  }

  async #appear(status: Status): Promise<void> {
    if (this.#client !== undefined) {
      await this.#client.setStatus(status)
      return
    }
    const { character, server, nexus, ca, log } = this.#options
    const client: MsnClient = new MsnClient({
      server,
      passport: { nexus },
      ca,
      login: character.address,
      password: character.password,
      status,
      onEvent: (event) => this.#on(client, event),
    })
    const result = await client.signIn(this.#stopping.signal)
    if (!result.ok) {
      if (!this.#stopping.signal.aborted) log(`${character.name} cannot sign in: ${result.failure.detail}`)
      return
    }
    this.#client = client
    await client.rename(character.name)
  }

  async #leave(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.signOut()
  }

  #on(client: MsnClient, event: MsnClientEvent): void {
    switch (event.kind) {
      case 'presence':
        if (event.presence !== undefined) void this.#greet(client, event.email)
        return
      case 'message': {
        // Two who answer everything would never end.
        if (!this.#options.isFriend(event.from.email)) return
        const said = parseSaid(parseMime(event.payload))
        if (said.kind === 'text') void this.#answer(event.switchboard, event.from.email, said.text)
        else if (said.kind === 'nudge') void this.#say(event.switchboard, 'Ouch! I felt that.')
        return
      }
      case 'closed':
        if (this.#client === client) this.#client = undefined
        return
      case 'roster':
      case 'list':
      case 'own-name':
      case 'own-status':
      case 'messenger':
      case 'switchboard':
      case 'typing':
      case 'joined':
      case 'left':
      case 'switchboard-closed':
      case 'announcement':
      case 'arranged':
      case 'personal-message':
      case 'mail':
      case 'invitation-failed':
        return
    }
  }

  async #greet(client: MsnClient, address: string): Promise<void> {
    if (this.#greeted.has(address) || !this.#options.isFriend(address)) return
    if (this.#greeted.size >= MAX_GREETED) this.#greeted.clear()
    this.#greeted.add(address)
    await this.#pause(2)
    const opened = await client.openSwitchboard()
    if (!opened.ok) return
    const invited = await opened.switchboard.invite(address)
    if (invited.kind === 'joined') await this.#say(opened.switchboard, this.#options.character.hello)
    else this.#greeted.delete(address)
  }

  async #answer(switchboard: Switchboard, from: string, text: string): Promise<void> {
    const { answers, nudgesAfter } = this.#options.character
    const count = this.#said.get(from) ?? 0
    this.#said.set(from, count + 1)
    if (/\bnudge\b/i.test(text)) {
      await switchboard.send(nudgeMessage(), 'A')
      return
    }
    await this.#say(switchboard, answers[count % answers.length] ?? 'Yes?')
    if (count + 1 !== nudgesAfter) return
    await this.#pause(2)
    await switchboard.send(nudgeMessage(), 'A')
  }

  /** Typing first, as people do. */
  async #say(switchboard: Switchboard, text: string): Promise<void> {
    await switchboard.send(typingMessage(this.#options.character.address), 'U')
    await this.#pause(1)
    await switchboard.send(textMessage(text), 'A')
  }

  #pause(steps: number): Promise<void> {
    const { signal } = this.#stopping
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve()
        return
      }
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, steps * this.#options.stepMs)
      signal.addEventListener('abort', done)
    })
  }
}
