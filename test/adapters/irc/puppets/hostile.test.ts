import { expect, test } from 'vitest'
import { ghost, setsStages } from './stage.ts'

const set = setsStages()

/** What somebody may call themselves, and say of themselves. */
const HOSTILE = [
  'x\r\nQUIT :gone',
  '\nPRIVMSG #msn :pwned',
  '\0QUIT',
  ': :',
  '\x01ACTION \x02bold\x03 04,05',
  'a'.repeat(2_000),
  'Ж'.repeat(700),
  '👩‍👩‍👧‍👦'.repeat(200),
  '#msn,&other *!*@*',
  '042ABCDEF',
]
/** All that a puppet may say to a server, with nothing behind it. */
const LINE =
  /^(?:CAP [^\r\n\0]*|NICK \S+|USER \S+ 0 \* :[^\r\n\0]*|JOIN #msn|AWAY(?: :[^\r\n\0]*)?|PRIVMSG #msn :[^\r\n\0]*|MODE \S+ \S+|WHOIS \S+|P[IO]NG :?\S+|QUIT :[^\r\n\0]*)$/u

test.each(HOSTILE)('%j as a name, as words of away and as a message is nothing but that', async (words) => {
  const stage = await set()
  const as = ghost(words, 'somebody@home.example')
  await stage.presence(as)
  const puppet = await stage.ircd.until(() =>
    stage.ircd.clients.find(
      ({ lines }) =>
        lines.some((line) => line === 'JOIN #msn') && lines.some((line) => line.startsWith('USER somebody')),
    ),
  )
  await stage.presence(as, { show: 'busy', text: words })
  await stage.ircd.until(() => puppet.lines.some((line) => line.startsWith('AWAY :Busy')))
  await stage.say(as, `${words} end`)
  await stage.bot.session.close()
  for (const line of puppet.lines) {
    expect(line.replace(/^@\S+ /, '')).toMatch(LINE)
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(510)
  }
  expect(puppet.lines.filter((line) => line.startsWith('QUIT'))).toEqual(['QUIT :The bridge is going down'])
})
