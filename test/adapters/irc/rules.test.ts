import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { caseMappingOf, fold, parseChannel, parseNick, sameName } from '../../../irc/casemap.ts'
import { readError, readKill, readNumeric, readSaslFailure, unreachable } from '../../../adapters/irc/faults.ts'
import { quietLine, quietName, withoutZeroWidth, ZERO_WIDTH_SPACE } from '../../../adapters/irc/highlight.ts'
import { decodeLine, LineReader, MAX_INCOMING_BYTES } from '../../../irc/lines.ts'
import { readNickServ } from '../../../adapters/irc/nickserv.ts'
import { accountCouldHelp, matchesMask, roleOf } from '../../../adapters/irc/permissions.ts'
import { MAX_NAMED, PresenceDigest } from '../../../adapters/irc/presence.ts'
import { textOf } from '../../../bridge/model/text.ts'

describe('names', () => {
  it.each([
    ['rfc1459', 'A[]\\^', 'a{}|~'],
    ['strict-rfc1459', 'A[]\\^', 'a{}|^'],
    ['ascii', 'A[]\\^', 'a[]\\^'],
  ] as const)('fold by %s', (mapping, upper, lower) => {
    expect(fold(upper, mapping)).toBe(lower)
    expect(sameName(upper, lower, mapping)).toBe(true)
  })

  it.each([
    [undefined, 'rfc1459'],
    ['rfc1459', 'rfc1459'],
    ['strict-rfc1459', 'strict-rfc1459'],
    ['ascii', 'ascii'],
    ['rfc7613', 'ascii'],
    [true, 'ascii'],
  ])('take CASEMAPPING %s for %s', (token, mapping) => {
    expect(caseMappingOf(token)).toBe(mapping)
  })

  it('of channels get one id, whatever their case', () => {
    expect(parseChannel('#Friends')).toBe('#friends')
    expect(parseChannel('##Über[x]')).toBe('##Über[x]')
  })

  it.each(['friends', '', '#', '#a b', '#a,b', '#a\r\nQUIT', '#a\0', `#${'x'.repeat(300)}`])(
    '%j is no channel',
    (name) => {
      expect(parseChannel(name)).toHaveProperty('wrong')
    },
  )

  it.each(['', 'a b', '#a', '1a', 'a!b@c', 'a\nb', '-x', 'x'.repeat(300)])('%j is no nickname', (nick) => {
    expect(parseNick(nick)).toHaveProperty('wrong')
  })

  it('of people may have the odd letters of RFC 2812', () => {
    expect(parseNick('[Bob]^_`')).toBe('[bob]^_`')
  })
})

describe('relayed names', () => {
  it.each([
    ['<bob> hi', '<b\u200bob> hi'],
    ['<Bob Miller> hi', '<B\u200bob Miller> hi'],
    ['* bob waves', '* b\u200bob waves'],
    ['<👨‍👩‍👧‍👦fam> hi', '<👨‍👩‍👧‍👦\u200bfam> hi'],
    ['<b> hi', '<b> hi'],
    ['<b\u200bob> hi', '<b\u200bob> hi'],
    ['bob: hi', 'bob: hi'],
    ['<3 you', '<3 you'],
    ['<html>x', '<html>x'],
    ['a <bob> b', 'a <bob> b'],
    ['', ''],
  ])('in %j ring no bell', (before, after) => {
    expect(textOf(quietLine([{ text: before }]))).toBe(after)
  })

  it('are quiet wherever the spans divide', () => {
    expect(quietLine([{ text: '<b', bold: true }, { text: 'ob> ' }, { text: 'hi', italic: true }])).toEqual([
      { text: '<b\u200b', bold: true },
      { text: 'ob> ' },
      { text: 'hi', italic: true },
    ])
  })

  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const plain = text.replaceAll(ZERO_WIDTH_SPACE, '')
        expect(withoutZeroWidth(textOf(quietLine([{ text: plain }])))).toBe(plain)
        expect(withoutZeroWidth(quietName(plain))).toBe(plain)
      }),
    )
  })
})

describe('the words of a server that closes', () => {
  it.each([
    ['Closing Link: h (K-Lined)', 'banned', true],
    ['Closing link: (a@b) [G-Lined: spam]', 'banned', true],
    ['Closing Link: h (Z:lined: x)', 'network', false],
    ['You are banned from this server- Temporary K-line 5 min', 'banned', true],
    ['Your IP is listed in a DNSBL', 'banned', true],
    ['AKILL: go', 'banned', true],
    ['Closing Link: h (Killed (oper (reason)))', 'banned', true],
    ['Killed (NickServ (REGAIN command used by bob))', 'signed-in-elsewhere', true],
    ['Killed (server (Nickname collision))', 'network', false],
    ['Trying to reconnect too fast.', 'network', false],
    ['Your host is trying to (re)connect too fast -- throttled', 'network', false],
    ['Closing Link: h (Too many host connections (local))', 'network', false],
    ['Bad password', 'bad-credentials', true],
    ['Closing Link: h (Ping timeout: 240 seconds)', 'network', false],
    ['Closing Link: h (Excess Flood)', 'network', false],
    ['Server shutting down', 'network', false],
    ['', 'network', false],
  ])('%j means %s', (words, code, stop) => {
    const ending = readError(words)
    expect([ending.fault.code, ending.stop]).toEqual([code, stop])
  })

  it('that throttles ask us to stay away for a while', () => {
    expect(readError('throttled').retryAfter).toBeGreaterThanOrEqual(60_000)
    expect(readError('Ping timeout').retryAfter).toBeUndefined()
  })

  it('reach the operator without control characters and not at any length', () => {
    const { detail } = readKill(`\x02spam\r\n${'x'.repeat(1000)}`).fault
    expect(detail).toContain('"spamxxx')
    expect(detail.length).toBeLessThan(400)
  })

  it('come as numerics, too', () => {
    expect(readNumeric('465', 'x')?.fault.code).toBe('banned')
    expect(readNumeric('464', 'x')?.fault.code).toBe('bad-credentials')
    expect(readNumeric('001', 'x')).toBeUndefined()
  })

  it.each([
    ['capability_missing', false],
    ['unsupported_mechanism', true],
    ['fail', true],
    ['nick_locked', true],
    ['too_long', true],
  ])('of SASL %s stop us: %s', (reason, stop) => {
    expect(readSaslFailure(reason, 'words').stop).toBe(stop)
  })

  it.each([
    ['ECONNREFUSED', /Cannot reach h:1 \(ECONNREFUSED\)/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /not trusted .*write tls: \{ ca: FILE \}/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /for another name .*"server"/],
    ['CERT_HAS_EXPIRED', /out of date .*Check our clock/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /speaks no TLS/],
  ])('or of the system, %s, name the remedy', (code, words) => {
    expect(unreachable('h:1', Object.assign(new Error('x'), { code })).fault.detail).toMatch(words)
  })
})

describe('NickServ', () => {
  it.each([
    ['You are now identified for \x02bob\x02.', 'accepted'],
    ['Password accepted - you are now recognized.', 'accepted'],
    ['You are already logged in as bob.', 'accepted'],
    ['Invalid password for \x02bob\x02.', 'refused'],
    ['Password incorrect.', 'refused'],
    ["Your nick isn't registered.", 'refused'],
    ['\x02bob\x02 is not a registered nickname.', 'refused'],
    ['This nickname is registered. Please choose a different nickname, or identify via /msg NickServ', undefined],
    ['Your vhost is now active.', undefined],
  ])('%j is %s', (words, answer) => {
    expect(readNickServ(words)).toBe(answer)
  })
})

describe('permissions', () => {
  it.each([
    ['bob!b@example.org', '*!*@example.org', true],
    ['bob!b@evil-example.org.x', '*!*@example.org', false],
    ['Bob!B@H', 'bob!b@h', true],
    ['b[b!x@y', 'b{?!*@y', true],
    ['bob!b@exampleXorg', '*!*@example.org', false],
    ['a+b!c@d', 'a+b!c@d', true],
    ['aab!c@d', 'a+b!c@d', false],
    ['bob!b@h\n', '*!*@h', false],
  ])('%j matches %j: %s', (mask, glob, expected) => {
    expect(matchesMask(mask, glob)).toBe(expected)
  })

  const permissions = {
    admins: { accounts: ['Boss'], hostmasks: ['*!*@admin.example'] },
    users: { accounts: ['friend'], hostmasks: ['*!*@friends.example'] },
  }
  it.each([
    ['x!y@z', undefined, 'none'],
    ['x!y@z', 'stranger', 'none'],
    ['x!y@z', 'boss', 'admin'],
    ['x!y@z', 'FRIEND', 'user'],
    ['x!y@friends.example', undefined, 'user'],
    ['x!y@friends.example', 'boss', 'admin'],
    ['x!y@admin.example', undefined, 'admin'],
    ['boss!boss@z', undefined, 'none'],
  ] as const)('%s with account %s has the role %s', (mask, account, role) => {
    expect(roleOf(permissions, mask, account)).toBe(role)
  })

  it('ask for the account only when it could change something', () => {
    const nobody = { accounts: [], hostmasks: [] }
    expect(accountCouldHelp({ admins: nobody, users: nobody }, 'x!y@z')).toBe(false)
    expect(accountCouldHelp(permissions, 'x!y@z')).toBe(true)
    expect(accountCouldHelp(permissions, 'x!y@admin.example')).toBe(false)
  })
})

describe('the presence digest', () => {
  it('waits until things are quiet and says each change once', () => {
    const digest = new PresenceDigest(1000)
    digest.note('alice', { show: 'online' }, 0)
    digest.note('bob', { show: 'busy' }, 500)
    expect(digest.take(999)).toBeUndefined()
    expect(digest.dueAt).toBe(1000)
    expect(withoutZeroWidth(digest.take(1000) ?? '')).toBe('online: alice · busy: bob')
    expect(digest.take(5000)).toBeUndefined()
    digest.note('alice', { show: 'online' }, 6000)
    expect(digest.dueAt).toBeUndefined()
    digest.note('alice', { show: 'hidden' }, 7000)
    expect(withoutZeroWidth(digest.take(8000) ?? '')).toBe('offline: alice')
  })

  it('does not mention who was back in time', () => {
    const digest = new PresenceDigest(1000)
    digest.note('alice', { show: 'online' }, 0)
    digest.note('alice', { show: 'offline' }, 100)
    expect(digest.dueAt).toBeUndefined()
  })

  it('names so many and counts the rest', () => {
    const digest = new PresenceDigest(0)
    for (let index = 0; index < MAX_NAMED + 7; index++) digest.note(`p${index}`, { show: 'online' }, 0)
    expect(digest.take(0)).toMatch(/ · and 7 more$/)
    expect(digest.take(0)).toBeUndefined()
  })
})

describe('lines from a server', () => {
  const read = (...chunks: readonly Uint8Array[]): readonly string[] => {
    const reader = new LineReader()
    return chunks.flatMap((chunk) => {
      const lines = reader.read(chunk)
      return lines === 'too-long' ? ['too long'] : lines
    })
  }

  it('are the same wherever the bytes are cut', () => {
    const bytes = Buffer.from('PING :a\r\n:x PRIVMSG #a :grüße 😀\n\r\n\nERROR :bye\r\n')
    const whole = ['PING :a', ':x PRIVMSG #a :grüße 😀', 'ERROR :bye']
    expect(read(bytes)).toEqual(whole)
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(read(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(whole)
    }
    expect(read(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole)
  })

  it('that do not end are refused', () => {
    expect(new LineReader().read(Buffer.alloc(MAX_INCOMING_BYTES + 1, 'x'))).toBe('too-long')
    const reader = new LineReader()
    expect(reader.read(Buffer.alloc(MAX_INCOMING_BYTES, 'x'))).toEqual([])
    expect(reader.read(Buffer.from('xx\r\n'))).toBe('too-long')
  })

  it('in another encoding are read as the western code page', () => {
    expect(decodeLine(Buffer.from('gr\xfc\xdfe \x80', 'latin1'))).toBe('grüße €')
    fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof decodeLine(bytes) === 'string'))
  })
})
