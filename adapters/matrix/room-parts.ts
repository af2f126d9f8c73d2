/** What everything that makes, changes and leaves rooms stands on. Put together in room-service.ts. */
import type { Ghosts } from './ghosts.ts'
import type { Puppets } from './puppets.ts'
import type { RoomMaker } from './room-make.ts'
import type { Table } from './room-table.ts'
import type { Spaces } from './spaces.ts'
import type { Patient } from './patience.ts'

export interface RoomParts extends Patient {
  readonly table: Table
  readonly ghosts: Ghosts
  readonly maker: RoomMaker
  readonly spaces: Spaces
  readonly puppets: Puppets
}
