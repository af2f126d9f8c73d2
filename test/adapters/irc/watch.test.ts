import { describe, expect, it } from 'vitest'
import { ASK_AGAIN_MS, Watch, type Eye } from '../../../adapters/irc/watch.ts'

const start = (options: { readonly monitor?: string } = {}) => {
  const told: string[] = []
  const lines: string[] = []
  let busy = false
  const eye: Eye = {
    mapping: 'rfc1459',
    supports: (option) => (option === 'MONITOR' ? options.monitor : undefined),
    control: (line) => !busy && lines.push(line) > 0,
  }
  const watch = new Watch((user, { show }) => told.push(`${user} ${show}`))
  const hear = (command: string, params: readonly string[], nick = '') =>
    watch.message({ command, params: [...params], nick, ident: '', hostname: '', tags: {}, prefix: '' })
  const isBusy = (is: boolean): void => void (busy = is)
  return { watch, eye, hear, told, isBusy, lines: () => lines.splice(0) }
}

describe('with MONITOR', () => {
  const begun = () => {
    const world = start({ monitor: '100' })
    world.watch.add('Amy')
    world.watch.online(world.eye)
    return world
  }

  it('asks for whom it knows at the sign-in, for whoever is added later, and takes them off again', () => {
    const { watch, lines } = begun()
    watch.add('bob[1]')
    watch.add('AMY')
    watch.remove('bob[1]')
    watch.remove('carol')
    expect(lines()).toEqual(['MONITOR + amy', 'MONITOR + bob[1]', 'MONITOR - bob[1]'])
  })

  it('asks later about those of whom it could not say that it wants to know', () => {
    const { watch, isBusy, hear, told, lines } = begun()
    lines()
    isBusy(true)
    watch.add('bob')
    isBusy(false)
    watch.tend(ASK_AGAIN_MS)
    expect(lines()).toEqual(['ISON bob'])
    hear('303', ['me', 'bob'])
    expect(told).toEqual(['bob online'])
  })

  it('tells who is there and who is not, once, in whatever spelling, and nothing of others', () => {
    const { watch, hear, told } = begun()
    watch.add('bob[1]')
    hear('730', ['me', 'Amy!u@h,zed!u@h,BOB{1}!u@h'])
    hear('730', ['me', 'amy!u@h'])
    hear('731', ['me', 'amy,zed'])
    expect(told).toEqual(['amy online', 'bob[1] online', 'amy offline'])
  })

  it('tells who is away, and that whoever speaks is there', () => {
    const { hear, told } = begun()
    hear('731', ['me', 'amy'])
    hear('PRIVMSG', ['me', 'hi'], 'amy')
    hear('AWAY', ['lunch'], 'amy')
    hear('PRIVMSG', ['me', 'still away'], 'amy')
    hear('AWAY', [], 'amy')
    hear('AWAY', ['x'], 'zed')
    expect(told).toEqual(['amy offline', 'amy online', 'amy away', 'amy online'])
  })

  it('asks with ISON for whom the list has no room', () => {
    const { watch, hear, told, lines } = begun()
    watch.add('bob')
    hear('734', ['me', '1', 'bob', 'Monitor list is full.'])
    hear('303', ['me', 'bob'])
    watch.remove('bob')
    expect(lines()).toEqual(['MONITOR + amy', 'MONITOR + bob', 'ISON bob'])
    expect(told).toEqual(['bob online'])
  })

  it('shows nobody as there while the connection is lost, and nobody as gone', () => {
    const { watch, eye, hear, told, lines } = begun()
    watch.add('bob')
    hear('730', ['me', 'amy!u@h'])
    hear('731', ['me', 'bob'])
    watch.offline()
    watch.add('carol')
    lines()
    watch.online(eye)
    hear('730', ['me', 'amy!u@h'])
    expect(lines()).toEqual(['MONITOR + amy,bob,carol'])
    expect(told).toEqual(['amy online', 'bob offline', 'amy away', 'amy online'])
  })
})

describe('without MONITOR', () => {
  it('asks with ISON at once and once a minute, and whoever is not in the answer is not there', () => {
    const { watch, eye, hear, told, lines } = start()
    watch.add('amy')
    watch.add('bob')
    watch.tend(0)
    watch.online(eye)
    hear('303', ['me', 'AMY '])
    watch.tend(1)
    watch.tend(ASK_AGAIN_MS)
    expect(lines()).toEqual(['ISON amy bob', 'ISON amy bob'])
    watch.tend(2 * ASK_AGAIN_MS + 1)
    expect(lines()).toEqual([])
    hear('303', ['me', ''])
    hear('303', ['me', 'amy'])
    expect(told).toEqual(['amy online', 'bob offline', 'amy offline'])
  })

  it('asks again where the server was too busy to answer', () => {
    const { watch, eye, hear, told, lines } = start()
    watch.add('amy')
    watch.online(eye)
    hear('263', ['me', 'WHO', 'Please wait a while and try again'])
    hear('263', ['me', 'ISON', 'Please wait a while and try again'])
    watch.tend(ASK_AGAIN_MS)
    expect(lines()).toEqual(['ISON amy', 'ISON amy'])
    hear('303', ['me', 'amy'])
    expect(told).toEqual(['amy online'])
  })

  it('asks for many in lines that fit, each answered by its own', () => {
    const { watch, eye, hear, told, lines } = start()
    const nicks = Array.from({ length: 100 }, (_, at) => `somebody${at}`)
    for (const nick of nicks) watch.add(nick)
    watch.online(eye)
    const asked = lines()
    expect(asked.length).toBeGreaterThan(1)
    for (const line of asked) {
      expect(Buffer.byteLength(line)).toBeLessThan(510)
      hear('303', ['me', line.slice('ISON '.length)])
    }
    expect(told).toEqual(nicks.map((nick) => `${nick} online`))
  })
})
