-- The log reads what rows say already; here is what was written nowhere, and where the day files are.

-- Which server it was, and what was said to it: JSON [[milliseconds, command, answer], …].
ALTER TABLE events ADD COLUMN server TEXT;
ALTER TABLE events ADD COLUMN talk TEXT;
CREATE INDEX events_by_time ON events (at, id);
CREATE INDEX ingest_events_by_time ON ingest_events (at, id);
CREATE INDEX suppressions_in_order ON suppressions (created, address_key);

-- What happened to an address, a sender or a server rather than to one mail.
CREATE TABLE log_lines (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  -- Key of the address it is about.
  address TEXT NOT NULL DEFAULT '',
  server TEXT,
  text TEXT NOT NULL DEFAULT '',
  by_name TEXT
) STRICT;
CREATE INDEX log_lines_by_time ON log_lines (at, id);
CREATE INDEX log_lines_by_address ON log_lines (address, at) WHERE address <> '';

-- A day of the log in storage, cut at 05:00 UTC: logs/<day>.jsonl and the parts that follow it.
CREATE TABLE log_files (
  day TEXT PRIMARY KEY,
  parts INTEGER NOT NULL DEFAULT 0,
  lines INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  -- Behind the last row that was written.
  cursor TEXT,
  -- When it was complete.
  closed INTEGER
) STRICT, WITHOUT ROWID;

-- Mails that go out and come in again, to see that mail flows.
CREATE TABLE canaries (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  by_name TEXT NOT NULL,
  server TEXT NOT NULL,
  mail_from TEXT NOT NULL,
  rcpt_to TEXT NOT NULL,
  -- What the server answered, and when; NULL while it is asked.
  answered INTEGER,
  taken INTEGER NOT NULL DEFAULT 0,
  answer TEXT NOT NULL DEFAULT '',
  returned INTEGER,
  -- The stops of its way, JSON.
  way TEXT NOT NULL DEFAULT '[]'
) STRICT, WITHOUT ROWID;
CREATE INDEX canaries_by_time ON canaries (at, id);
CREATE INDEX canaries_returned ON canaries (returned, id) WHERE returned IS NOT NULL;

INSERT INTO actions (name, interval_minutes) VALUES ('log_rotation', 1440);
