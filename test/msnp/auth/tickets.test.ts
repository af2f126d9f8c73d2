import { describe, expect, it } from 'vitest'
import { TicketBook } from '../../../msnp/auth/tickets.ts'
import { counting } from '../../kit/switchboard-desk.ts'

const book = (max?: number) =>
  new TicketBook({ lifetimeMs: 30_000, random: counting(), ...(max === undefined ? {} : { max }) })

/** docs/protocol.md, Passport: tickets. */
describe('a ticket', () => {
  it('has the form that every client takes', () => {
    expect(book().mint('alice@example.com', 0)).toMatch(/^t=[A-Za-z0-9_-]{40}&p=$/)
  })

  it('is good once, for its account, in whatever case that is written', () => {
    const tickets = book()
    const ticket = tickets.mint('Alice@example.com', 0)
    expect(tickets.redeem('bob@example.com', ticket, 1)).toBe(false)
    expect(tickets.redeem('alice@EXAMPLE.com', ticket, 29_999)).toBe(true)
    expect(tickets.redeem('alice@example.com', ticket, 29_999)).toBe(false)
  })

  it.each([
    ['as RST writes it', (ticket: string) => ticket.replace('&', '&amp;')],
    ['with the rest of the answer', (ticket: string) => `${ticket},ru=http://messenger.msn.com`],
  ])('is good %s', (_, shown) => {
    const tickets = book()
    expect(tickets.redeem('alice@example.com', shown(tickets.mint('alice@example.com', 0)), 1)).toBe(true)
  })

  it.each(['', 't=', 't=&p=', 'p=&t=', 'x'])('cannot be %j', (ticket) => {
    const tickets = book()
    tickets.mint('alice@example.com', 0)
    expect(tickets.redeem('alice@example.com', ticket, 1)).toBe(false)
  })

  it('is worthless after its time, and when it was never given', () => {
    const tickets = book()
    const ticket = tickets.mint('alice@example.com', 0)
    expect(tickets.redeem('alice@example.com', ticket, 30_000)).toBe(false)
    expect(tickets.redeem('alice@example.com', 't=&p=', 0)).toBe(false)
    expect(tickets.size).toBe(0)
  })

  it('is worthless when the account’s tickets are revoked', () => {
    const tickets = book()
    const one = tickets.mint('alice@example.com', 0)
    const other = tickets.mint('bob@example.com', 0)
    tickets.revoke('ALICE@example.com')
    expect(tickets.redeem('alice@example.com', one, 1)).toBe(false)
    expect(tickets.redeem('bob@example.com', other, 1)).toBe(true)
  })

  it('takes the place of the oldest when there are too many, and of those that have expired', () => {
    const tickets = book(2)
    const [first, second] = [tickets.mint('a@x', 0), tickets.mint('a@x', 1)]
    const third = tickets.mint('a@x', 2)
    expect(tickets.size).toBe(2)
    expect(tickets.redeem('a@x', first, 3)).toBe(false)
    expect(tickets.redeem('a@x', second, 3)).toBe(true)
    tickets.mint('a@x', 30_002)
    expect(tickets.size).toBe(1)
    expect(tickets.redeem('a@x', third, 30_001)).toBe(false)
  })
})
