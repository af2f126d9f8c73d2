/** An IRC server that lets everybody in, for what connects to one. */
import { FakeIrcd } from '../../test/adapters/irc/fake-ircd.ts'
import { answer } from '../processes.ts'

const ircd = new FakeIrcd({ isupport: ['NICKLEN=30', 'CASEMAPPING=rfc1459'] })

answer({ start: () => ircd.listen() })
