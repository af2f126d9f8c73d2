import Database from 'better-sqlite3'
import { join } from 'node:path'

/** Texts of what a daemon that does not run has on disk as said on a network, in the order of their acceptance. */
export const committed = (folder: string, network: string): readonly string[] => {
  const db = new Database(join(folder, 'data', 'bridge.db'), { readonly: true })
  try {
    const rows = db
      .prepare('SELECT data FROM event JOIN chat ON chat.id = event.chat WHERE chat.network = ? ORDER BY event.row')
      .all(network) as { data: string }[]
    return rows.map(({ data }) => {
      const { body } = JSON.parse(data) as { body?: { text?: { text: string }[] } }
      return (body?.text ?? []).map((span) => span.text).join('')
    })
  } finally {
    db.close()
  }
}
