import { beforeEach, describe, expect, test } from 'vitest'
import { channelKey } from '../../../../adapters/irc-gateway/root/settings.ts'
import { Bench, channelPort, retro } from './rig.ts'

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})

describe('channel', () => {
  test('list is shaped as in BitlBee, with channels that only have settings', async () => {
    bench.person.joined.push(channelPort('#tea', 'group'), channelPort('&work', 'control'))
    await bench.say('channel &work set fill_by account')
    bench.person.joined.pop()
    expect(await bench.say('chan l')).toEqual([
      ' 0. &bitlbee, control channel (joined)',
      ' 1. #tea, chat channel (joined)',
      ' 2. &work, control channel',
      'End of channel list',
    ])
  })

  test.each([
    'channel &bitlbee set show_users online',
    'channel 0 set show_users online',
    'channel bitlbee s show_users online',
  ])('%s sets what is in it', async (line) => {
    expect(await bench.say(line)).toEqual(["show_users = `online'"])
    expect(bench.person.settings.own(channelKey('&bitlbee', 'show_users'))).toBe('online')
  })

  test('set needs no name where it is said', async () => {
    expect(await bench.say('channel set group Friends of mine', '&bitlbee')).toEqual(["group = `Friends of mine'"])
    expect(bench.person.settings.own(channelKey('&bitlbee', 'group'))).toBe('Friends of mine')
    expect(await bench.say('channel set group Friends')).toEqual([expect.stringContaining('Could not find channel')])
  })

  test('set shows all settings', async () => {
    const lines = await bench.say('channel 0 set')
    expect(lines).toContain("type = `control'")
    expect(lines).toContain("auto_join = `true'")
    expect(lines).toContain("show_users = `online+,special%,away'")
  })

  test('account is one that there is, and stays the same when its tag changes', async () => {
    expect(await bench.say('channel 0 set account jabber')).toEqual(['There is no such account. See: account list'])
    expect(await bench.say('channel 0 set account retro')).toEqual(["account = `retro'"])
    expect(bench.person.settings.own(channelKey('&bitlbee', 'account'))).toBe(retro)
    await bench.say('account retro set tag home')
    expect(await bench.say('channel 0 set account')).toEqual(["account = `home'"])
    expect(await bench.say('channel 0 set -del account')).toEqual(['account is empty'])
  })

  test('protocol is the network that it stands for', async () => {
    expect(await bench.say('channel 0 set protocol msn')).toEqual(["protocol = `retro'"])
    expect(await bench.say('channel 0 set protocol jabber')).toEqual([expect.stringContaining('Unknown protocol')])
    expect(bench.person.settings.own(channelKey('&bitlbee', 'protocol'))).toBe('retro')
  })

  test('type cannot be changed', async () => {
    expect(await bench.say('channel 0 set type chat')).toEqual([expect.stringContaining('cannot be changed')])
  })

  test('del forgets the settings of one that was left', async () => {
    bench.person.joined.push(channelPort('&work', 'control'))
    await bench.say('channel &work set fill_by account')
    expect(await bench.say('channel &work del')).toEqual(['Leave &work first: /part &work'])
    bench.person.joined.pop()
    expect(await bench.say('channel &work del')).toEqual(['Channel &work deleted.'])
    expect(bench.person.settings.values.size).toBe(0)
    expect(await bench.say('channel &work del')).toEqual([expect.stringContaining('Could not find channel')])
  })

  test('del is not for the main one', async () => {
    expect(await bench.say('channel &BITLBEE del')).toEqual(['The main channel &bitlbee cannot be deleted.'])
  })

  test('otherwise gives the usage', async () => {
    for (const line of ['channel', 'channel 0', 'channel 0 dance'])
      expect((await bench.say(line))[0]).toBe('Syntax: channel list')
  })
})

describe('chat', () => {
  test('with opens a channel for the conversation', async () => {
    expect(await bench.say('chat with bob')).toEqual([
      expect.stringContaining('The channel #chat_01 is your conversation with bob.'),
    ])
    expect(bench.person.done).toEqual(['openGroup bob@home.example #chat_01'])
  })

  test.each([
    ['chat add retro bob,carol #tea', '#tea'],
    ['chat a retro bob@home.example,carol tea', '#tea'],
    ['chat add retro bob,carol', '#bob'],
  ])('%s makes a group that is joined again', async (line, name) => {
    expect(await bench.say(line)).toEqual([
      `${name} is added with bob@home.example, carol@home.example, and joined whenever you connect.`,
    ])
    expect(bench.person.done).toEqual([`openGroup bob@home.example carol@home.example ${name}`])
    const settings = bench.person.settings
    expect(settings.own(channelKey(name, 'auto_join'))).toBe('true')
    expect(settings.own(channelKey(name, 'room'))).toBe('bob@home.example,carol@home.example')
    expect(settings.own(channelKey(name, 'account'))).toBe(retro)
  })

  test('list names the groups', async () => {
    expect(await bench.say('chat list')).toEqual(['You are in no group. To begin one say: chat with NICK'])
    bench.person.joined.push(channelPort('#tea', 'group'))
    expect(await bench.say('chat list retro')).toEqual(['#tea: bob', 'End of list.'])
  })

  test('set and del are those of channel', async () => {
    expect(await bench.say('chat set bitlbee fill_by group')).toEqual(["fill_by = `group'"])
    expect(await bench.say('chat del bitlbee')).toEqual([expect.stringContaining('cannot be deleted')])
  })

  test('says what is wrong', async () => {
    expect(await bench.say('chat with nobody')).toEqual(["Nick `nobody' does not exist"])
    expect(await bench.say('chat add retro bob "#t,ea"')).toEqual(["`#t,ea' is no name of a channel."])
    expect(await bench.say('chat add jabber bob')).toEqual(['There is no such account. See: account list'])
    for (const line of ['chat', 'chat x', 'chat with', 'chat add', 'chat add retro', 'chat with a b c'])
      expect((await bench.say(line))[0]).toBe('Syntax: chat with <nick>')
    expect(bench.person.done).toEqual([])
  })

  test('add does not take the channel of another group', async () => {
    await bench.say('chat add retro bob #tea')
    expect(await bench.say('chat add retro carol #tea')).toEqual([expect.stringContaining('You are in #tea already')])
  })
})
