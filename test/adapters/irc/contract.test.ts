import type { ChatId } from '../../../bridge/model/ids.ts'
import { adapterContract } from '../../kit/adapter-contract.ts'
import { Bot } from './bot.ts'
import { FakeIrcd } from './fake-ircd.ts'

adapterContract('irc', async () => {
  const server = new FakeIrcd()
  const port = await server.listen()
  const bot = new Bot(port)
  await bot.adapter.start(bot.context)
  const texts = (): readonly string[] => server.all.flatMap((line) => /PRIVMSG #room :(.*)$/.exec(line)?.slice(1) ?? [])
  return {
    adapter: bot.adapter,
    session: bot.session,
    place: { kind: 'channel', name: '#room' as ChatId },
    nowhere: { kind: 'direct', with: 'no nick' as never },
    freeze: () => {
      server.silent = true
    },
    arrived: async (count) => {
      await server.until(() => texts().length >= count)
      return texts()
    },
    end: async () => {
      await bot.stop()
      await server.close()
    },
  }
})
