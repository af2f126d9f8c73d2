/** The commands, one row each, in the order of `help`. */
import { adminCommands } from './admin.ts'
import { chatCommands } from './chats.ts'
import type { Command } from './deps.ts'
import { groupCommands } from './groups.ts'
import { linkCommands } from './links.ts'
import { loginCommands, stateCommands } from './logins.ts'
import { peopleCommands } from './people.ts'
import { pictureCommands } from './pictures.ts'
import { selfCommands } from './self.ts'

export const commandRows: readonly (readonly [name: string, command: Command])[] = [
  ...loginCommands,
  ...peopleCommands,
  ...groupCommands,
  ...chatCommands,
  ...linkCommands,
  ...selfCommands,
  ...pictureCommands,
  ...stateCommands,
  ...adminCommands,
]

/** With the other names of each. */
export const commandTable: ReadonlyMap<string, Command> = new Map(
  commandRows.flatMap(([name, command]) => [name, ...(command.aliases ?? [])].map((each) => [each, command] as const)),
)
