-- Every mail is accounted for: what was held, dismissed, ignored or could not be written, who was paused and why, and
-- the names an alias had before.

-- As people see a mail in the journal; the rest is in the raw mail.
ALTER TABLE ingests ADD COLUMN from_text TEXT NOT NULL DEFAULT '';
ALTER TABLE ingests ADD COLUMN subject TEXT NOT NULL DEFAULT '';
-- What became of it where that is not simply a message.
ALTER TABLE ingests ADD COLUMN outcome TEXT CHECK (outcome IN ('held', 'dismissed', 'discarded', 'report', 'ignored'));
-- Why it is or was held.
ALTER TABLE ingests ADD COLUMN held TEXT;
-- Code of what went wrong; `error` has the words.
ALTER TABLE ingests ADD COLUMN fault TEXT;
-- What a person decided about it, as JSON.
ALTER TABLE ingests ADD COLUMN wish TEXT;
-- When a person last acted on it: "all that match" goes over each mail once.
ALTER TABLE ingests ADD COLUMN touched INTEGER;
-- A provider's forwarding confirmation, as JSON.
ALTER TABLE ingests ADD COLUMN confirmation TEXT;
UPDATE ingests SET outcome = 'held', held = (SELECT m.held FROM messages m WHERE m.id = ingests.message_id)
  WHERE message_id IN (SELECT id FROM messages WHERE held IS NOT NULL);
DROP INDEX ingests_by_time;
CREATE INDEX ingests_in_order ON ingests (received DESC, id DESC);
DROP INDEX ingests_failed;
CREATE INDEX ingests_failed ON ingests (received DESC, id DESC) WHERE state = 'failed';
CREATE INDEX ingests_held ON ingests (received DESC, id DESC) WHERE outcome = 'held';
CREATE INDEX ingests_by_alias ON ingests (alias_key, received DESC) WHERE alias_key IS NOT NULL;
CREATE INDEX ingests_confirmations ON ingests (alias_key, received DESC) WHERE confirmation IS NOT NULL;

-- What was done with a hand-over, by whom.
CREATE TABLE ingest_events (
  id INTEGER PRIMARY KEY,
  ingest_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  by_name TEXT,
  text TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX ingest_events_by_ingest ON ingest_events (ingest_id, id);

-- Mail that was taken from the peer and dropped: we have it, it is our own, or it loops. The same again is counted.
CREATE TABLE ignored (
  id TEXT PRIMARY KEY,
  -- <recipient key>:<kind>:<SHA-256>
  key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('duplicate', 'own_loop_tag', 'conflict', 'loop_silent')),
  first_at INTEGER NOT NULL,
  at INTEGER NOT NULL,
  times INTEGER NOT NULL DEFAULT 1,
  mail_from TEXT NOT NULL,
  rcpt_to TEXT NOT NULL,
  from_text TEXT NOT NULL,
  subject TEXT NOT NULL,
  sender_key TEXT,
  rfc_id TEXT,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  why TEXT NOT NULL,
  -- The message we have of it.
  message_id TEXT
) STRICT;
CREATE INDEX ignored_in_order ON ignored (at DESC, id DESC);
CREATE INDEX ignored_by_sender ON ignored (sender_key, at) WHERE sender_key IS NOT NULL;
CREATE INDEX ignored_by_rfc_id ON ignored (rfc_id) WHERE rfc_id IS NOT NULL;

-- Main header lines of a refused mail, to ask again whether it would get in; never the body.
ALTER TABLE refusals ADD COLUMN head TEXT NOT NULL DEFAULT '';
ALTER TABLE refusals ADD COLUMN content_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE refusals ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE refusals ADD COLUMN recipient_key TEXT NOT NULL DEFAULT '';
UPDATE refusals SET recipient_key = lower(rcpt_to);
CREATE INDEX refusals_by_recipient ON refusals (recipient_key, at);
CREATE INDEX refusals_by_reason ON refusals (reason, at DESC, id DESC);
CREATE INDEX refusals_by_rfc_id ON refusals (rfc_id) WHERE rfc_id IS NOT NULL;

-- NULL: until a person releases them.
ALTER TABLE paused_senders ADD COLUMN until INTEGER;
-- How often lately: each pause of a loop is longer than the one before.
ALTER TABLE paused_senders ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
-- Mail before this does not count for loop protection.
ALTER TABLE paused_senders ADD COLUMN released INTEGER;
ALTER TABLE paused_senders ADD COLUMN by_name TEXT;
ALTER TABLE paused_senders ADD COLUMN note TEXT NOT NULL DEFAULT '';

-- Further addresses of an alias: on other domains, and those it had before.
CREATE TABLE alias_names (
  key TEXT PRIMARY KEY,
  address TEXT NOT NULL,
  alias_id TEXT NOT NULL REFERENCES aliases (id),
  kind TEXT NOT NULL CHECK (kind IN ('also', 'former')),
  created INTEGER NOT NULL,
  last_received INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_names_by_alias ON alias_names (alias_id);
CREATE INDEX records_by_alias ON records (alias) WHERE alias IS NOT NULL;

-- Events of invitations in the mail, as JSON.
ALTER TABLE messages ADD COLUMN calendar TEXT;
-- The record it may be meant for; a person decides.
ALTER TABLE messages ADD COLUMN suggestion_id TEXT;
