/** THE table of what root understands, in the order of `help commands`. */
import { accountCommands } from './account-commands.ts'
import { bridgeCommands } from './bridge-commands.ts'
import { channelCommands } from './channel-commands.ts'
import { contactCommands } from './contact-commands.ts'
import type { RootCommand } from './deps.ts'
import { helpFor } from './help.ts'
import { identityCommands } from './identity-commands.ts'
import { groupCommands } from './group-commands.ts'
import { listCommands } from './list-commands.ts'
import { selfCommands } from './self-commands.ts'
import { transferCommands } from './transfer-commands.ts'

const help: RootCommand = {
  name: 'help',
  who: 'anyone',
  usage: ['help [<topic>]'],
  about: 'says how things are done',
  help: ['The topic is a command, a setting, or one of those that help alone lists.'],
  least: 0,
  run: async ({ words }) => helpFor(words, commandRows),
}

export const commandRows: readonly RootCommand[] = [
  help,
  ...identityCommands,
  ...accountCommands,
  ...contactCommands,
  ...listCommands,
  ...groupCommands,
  ...channelCommands,
  ...selfCommands,
  ...bridgeCommands,
  ...transferCommands,
]

export const commandNames: readonly string[] = commandRows.map(({ name }) => name)

export const commandOf: ReadonlyMap<string, RootCommand> = new Map(commandRows.map((row) => [row.name, row]))
