-- Who answered a campaign, and unsubscribing by a mail to the address that List-Unsubscribe names.
ALTER TABLE campaign_recipients ADD COLUMN answered INTEGER;
CREATE INDEX recipients_answered ON campaign_recipients (campaign_id, n) WHERE answered IS NOT NULL;

CREATE TABLE ignored_new (
  id TEXT PRIMARY KEY,
  -- <recipient key>:<kind>:<SHA-256>
  key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('duplicate', 'own_loop_tag', 'conflict', 'loop_silent', 'unsubscribe')),
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
INSERT INTO ignored_new SELECT id, key, kind, first_at, at, times, mail_from, rcpt_to, from_text, subject, sender_key, rfc_id,
  sha256, size, why, message_id FROM ignored;
DROP TABLE ignored;
ALTER TABLE ignored_new RENAME TO ignored;
CREATE INDEX ignored_in_order ON ignored (at DESC, id DESC);
CREATE INDEX ignored_by_sender ON ignored (sender_key, at) WHERE sender_key IS NOT NULL;
CREATE INDEX ignored_by_rfc_id ON ignored (rfc_id) WHERE rfc_id IS NOT NULL;
