-- What a failure and a suppression rest on, and what became of suppressions.

-- The report that said it, as it came in.
ALTER TABLE events ADD COLUMN ingest_id TEXT;
CREATE INDEX events_by_ingest ON events (ingest_id) WHERE ingest_id IS NOT NULL;
ALTER TABLE suppressions ADD COLUMN ingest_id TEXT;

-- An address began to be held back, or is written to again. Has all of the suppression, so that a lift can be taken back.
CREATE TABLE suppression_events (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('added', 'lifted', 'answered', 'expired', 'resubscribed', 'restored')),
  -- Why it was lifted.
  text TEXT NOT NULL DEFAULT '',
  -- Who did it; NULL for nobody.
  actor TEXT,
  address_key TEXT NOT NULL,
  scope TEXT NOT NULL,
  address TEXT NOT NULL,
  source TEXT NOT NULL,
  reason TEXT,
  evidence TEXT,
  ingest_id TEXT,
  note TEXT,
  by_name TEXT,
  created INTEGER NOT NULL,
  expires INTEGER
) STRICT;
CREATE INDEX suppression_events_by_time ON suppression_events (at DESC, id DESC);
CREATE INDEX suppression_events_by_address ON suppression_events (address_key, at DESC, id DESC);
INSERT INTO suppression_events (at, kind, actor, address_key, scope, address, source, reason, evidence, note, by_name, created, expires)
  SELECT created, 'added', by_name, address_key, scope, address, source, reason, evidence, note, by_name, created, expires FROM suppressions;
