/** The tables, as the steps that made them. A step that has been released is never edited: the next one is added. */
import type { Database } from 'better-sqlite3'

import { StoreRefused } from './port.ts'

/** "MSNB": tells our file from any other SQLite database. */
const APPLICATION_ID = 0x4d534e42

const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE identity (
    network TEXT NOT NULL,
    user TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    PRIMARY KEY (network, user)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE account_fact (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (account, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE contact (
    account TEXT NOT NULL,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    listed INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    has_us INTEGER NOT NULL,
    PRIMARY KEY (account, user)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE portal (id TEXT PRIMARY KEY, kind TEXT NOT NULL, origin TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE leg (
    id TEXT PRIMARY KEY,
    portal TEXT NOT NULL REFERENCES portal (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    network TEXT NOT NULL,
    via TEXT NOT NULL,
    request TEXT NOT NULL,
    chat TEXT,
    chat_account TEXT,
    flow TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX leg_portal ON leg (portal, position);

  -- Chats and lanes have long names and short numbers. account is '' where the chat means the same to everybody.
  CREATE TABLE chat (
    id INTEGER PRIMARY KEY,
    network TEXT NOT NULL,
    chat TEXT NOT NULL,
    account TEXT NOT NULL,
    UNIQUE (network, chat, account)
  ) STRICT;
  CREATE TABLE lane (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;

  CREATE TABLE event (
    id TEXT NOT NULL UNIQUE,
    chat INTEGER NOT NULL REFERENCES chat (id),
    native TEXT NOT NULL,
    portal TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (chat, native)
  ) STRICT;
  CREATE INDEX event_age ON event (stored_at);

  CREATE TABLE outbox (
    seq INTEGER NOT NULL,
    part INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    lane INTEGER NOT NULL REFERENCES lane (id),
    event TEXT NOT NULL,
    op TEXT NOT NULL,
    attempted INTEGER NOT NULL,
    at INTEGER NOT NULL,
    tell INTEGER REFERENCES lane (id),
    tell_name TEXT,
    told TEXT,
    PRIMARY KEY (seq, part)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX outbox_lane ON outbox (lane, seq, part);

  CREATE TABLE receipt (
    event TEXT NOT NULL,
    lane INTEGER NOT NULL REFERENCES lane (id),
    position INTEGER NOT NULL,
    native TEXT NOT NULL,
    PRIMARY KEY (event, lane, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX receipt_native ON receipt (lane, native);

  CREATE TABLE adapter_state (
    network TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (network, key)
  ) STRICT, WITHOUT ROWID;
  `,
  'ALTER TABLE outbox ADD COLUMN tell_quote TEXT;',
  `
  -- Signed in with by command; secret is encrypted with a key that is not in this file.
  CREATE TABLE account (
    id TEXT PRIMARY KEY,
    network TEXT NOT NULL,
    person TEXT NOT NULL,
    login TEXT NOT NULL,
    secret TEXT NOT NULL,
    wanted INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE contact ADD COLUMN nickname TEXT;
  `,
  `
  -- Numbers of rows that stay what they are: others speak of them.
  CREATE TABLE numbered (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    chat INTEGER NOT NULL REFERENCES chat (id),
    native TEXT NOT NULL,
    portal TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (chat, native)
  ) STRICT;
  INSERT INTO numbered (row, id, chat, native, portal, stored_at, data)
    SELECT rowid, id, chat, native, portal, stored_at, data FROM event;
  DROP TABLE event;
  ALTER TABLE numbered RENAME TO event;
  CREATE INDEX event_age ON event (stored_at);

  -- The messages that can be shown, by the time at which they were said. The newest wait in said_lately: a row at its end
  -- costs the commit of a message less than one in the midst of said.
  CREATE TABLE said (
    portal TEXT NOT NULL,
    at INTEGER NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (portal, at, row)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE said_lately (row INTEGER PRIMARY KEY, portal TEXT NOT NULL, at INTEGER NOT NULL) STRICT;

  CREATE TEMP TABLE taken_back AS
    SELECT chat, json_extract(data, '$.target') AS native FROM event WHERE json_extract(data, '$.kind') = 'redact';
  INSERT INTO said (portal, at, row)
    SELECT portal, coalesce(CAST(json_extract(data, '$.at') AS INTEGER), stored_at), row FROM event
    WHERE json_extract(data, '$.kind') = 'message'
      AND (chat, native) NOT IN (SELECT chat, native FROM taken_back)
      AND id NOT IN (SELECT event FROM receipt WHERE native IN (SELECT native FROM taken_back));
  DROP TABLE taken_back;
  `,
]

export const SCHEMA_VERSION = migrations.length

/** Brings the database to `SCHEMA_VERSION`, all steps in one transaction. Throws `StoreRefused`. */
export const migrate = (db: Database): void => {
  const version = db.pragma('user_version', { simple: true }) as number
  const application = db.pragma('application_id', { simple: true }) as number
  if (version > SCHEMA_VERSION)
    throw new StoreRefused(
      `The database ${db.name} was written by a newer msn-bridge (its schema is ${version}, this version knows ${SCHEMA_VERSION}): run that version, or restore a backup from before the upgrade.`,
    )
  if (application !== APPLICATION_ID && (version !== 0 || application !== 0 || holdsTables(db)))
    throw new StoreRefused(`${db.name} is a database of another program: choose another data folder.`)
  if (version === SCHEMA_VERSION) return
  db.transaction(() => {
    for (const step of migrations.slice(version)) db.exec(step)
    db.pragma(`application_id = ${APPLICATION_ID}`)
    db.pragma(`user_version = ${SCHEMA_VERSION}`)
  }).immediate()
}

const holdsTables = (db: Database): boolean => db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined
