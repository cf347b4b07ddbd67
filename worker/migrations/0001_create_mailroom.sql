-- Mailroom, first schema. Times are milliseconds since 1970 UTC, booleans 0 or 1, ids ULIDs.
-- Comparison keys of addresses (…_key) are lower-case local part @ A-label domain.

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE domains (
  name TEXT PRIMARY KEY,
  catchall TEXT NOT NULL,
  bounce TEXT NOT NULL,
  default_from TEXT NOT NULL,
  position INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE contacts (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  sort_name TEXT NOT NULL,
  internal INTEGER NOT NULL DEFAULT 0,
  archived INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX contacts_by_name ON contacts (archived, sort_name, id);

-- The addresses of a contact; position 0 is used for sending.
CREATE TABLE contact_emails (
  contact_id TEXT NOT NULL REFERENCES contacts (id),
  key TEXT NOT NULL,
  address TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (contact_id, key)
) STRICT;
CREATE INDEX contact_emails_by_key ON contact_emails (key);
CREATE INDEX contact_emails_in_order ON contact_emails (contact_id, position);

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  contact_id TEXT NOT NULL UNIQUE REFERENCES contacts (id),
  login_key TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('administrator', 'agent', 'campaign_manager', 'read_only')),
  language TEXT NOT NULL,
  notify_by TEXT NOT NULL CHECK (notify_by IN ('email', 'mailroom')),
  failed_logins INTEGER NOT NULL DEFAULT 0,
  locked_until INTEGER,
  archived INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL
) STRICT;

-- id is the SHA-256 of the cookie's token: a copy of the table opens nothing.
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id),
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE record_types (
  name TEXT PRIMARY KEY,
  -- Own words; NULL takes the catalogue's.
  label TEXT,
  label_plural TEXT,
  icon TEXT NOT NULL,
  prefix TEXT NOT NULL,
  stages TEXT NOT NULL, -- JSON array of names
  receives_mail INTEGER NOT NULL DEFAULT 1,
  flat INTEGER NOT NULL DEFAULT 1,
  next_number INTEGER NOT NULL DEFAULT 1,
  position INTEGER NOT NULL
) STRICT;

CREATE TABLE records (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL REFERENCES record_types (name),
  number INTEGER NOT NULL,
  title TEXT NOT NULL,
  stage TEXT,
  email TEXT,
  email_key TEXT,
  customer_id TEXT REFERENCES contacts (id),
  responsible_id TEXT REFERENCES users (id),
  -- When the unanswered message of the customer came; NULL when nobody waits for us.
  waiting_since INTEGER,
  alias TEXT,
  tags TEXT NOT NULL DEFAULT '[]',
  fields TEXT NOT NULL DEFAULT '{}',
  version INTEGER NOT NULL DEFAULT 1,
  deleted INTEGER NOT NULL DEFAULT 0,
  -- Copies of the newest message, so that a list reads one row per line.
  last_at INTEGER NOT NULL,
  last_author TEXT,
  last_snippet TEXT,
  messages INTEGER NOT NULL DEFAULT 0,
  attachments INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_by_number ON records (type, number);
CREATE INDEX records_by_activity ON records (deleted, last_at DESC, id DESC);
CREATE INDEX records_by_type ON records (type, deleted, last_at DESC, id DESC);
CREATE INDEX records_by_stage ON records (type, stage, deleted, last_at DESC, id DESC);
CREATE INDEX records_by_responsible ON records (responsible_id, deleted, last_at DESC, id DESC);
CREATE INDEX records_waiting ON records (waiting_since DESC, id DESC) WHERE waiting_since IS NOT NULL AND deleted = 0;
CREATE INDEX records_by_customer ON records (customer_id, last_at DESC);

-- Words of records and messages. rank is not used: newest first is what people want.
CREATE VIRTUAL TABLE search USING fts5 (text, record_id UNINDEXED, tokenize = 'unicode61 remove_diacritics 2');

CREATE TABLE followers (
  record_id TEXT NOT NULL REFERENCES records (id),
  contact_id TEXT NOT NULL REFERENCES contacts (id),
  created INTEGER NOT NULL,
  PRIMARY KEY (record_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX followers_by_contact ON followers (contact_id);

-- Who took part in a record's conversation: authors and recipients, by address key. Held messages don't count.
CREATE TABLE participants (
  record_id TEXT NOT NULL REFERENCES records (id),
  address_key TEXT NOT NULL,
  PRIMARY KEY (record_id, address_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX participants_by_address ON participants (address_key);

-- Senders whose mail is held until a person releases them.
CREATE TABLE paused_senders (
  address_key TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a user has seen of a record.
CREATE TABLE reads (
  user_id TEXT NOT NULL REFERENCES users (id),
  record_id TEXT NOT NULL REFERENCES records (id),
  read_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, record_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  record_id TEXT NOT NULL REFERENCES records (id),
  parent_id TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('comment', 'note', 'email', 'notification', 'system')),
  internal INTEGER NOT NULL DEFAULT 0,
  incoming INTEGER NOT NULL DEFAULT 0,
  automatic TEXT,
  author_id TEXT REFERENCES contacts (id),
  author_name TEXT NOT NULL,
  author_email TEXT,
  subject TEXT NOT NULL DEFAULT '',
  -- JSON {"to": [mailbox], "cc": [mailbox], "reply_to": [mailbox]}
  recipients TEXT NOT NULL DEFAULT '{}',
  delivered_to TEXT,
  -- Plain text, visible part and the folded rest, at most 64 KB each; the raw mail has the whole.
  text TEXT NOT NULL DEFAULT '',
  folded TEXT,
  has_html INTEGER NOT NULL DEFAULT 0,
  has_remote_images INTEGER NOT NULL DEFAULT 0,
  -- NULL unknown or our own, 1 proven, 0 not.
  authenticated INTEGER,
  system TEXT,
  issues TEXT NOT NULL DEFAULT '[]',
  held TEXT,
  -- Message-ID with angle brackets.
  rfc_id TEXT,
  -- R2 key of the raw mail.
  raw_key TEXT,
  -- Made by the page: posting twice posts once.
  post_key TEXT UNIQUE,
  -- The request as posted, to give it back on undo; removed when it leaves.
  draft TEXT,
  -- Its row in the full-text index.
  search_row INTEGER,
  leaves_at INTEGER,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_by_record ON messages (record_id, at, id);
CREATE INDEX messages_by_rfc_id ON messages (rfc_id) WHERE rfc_id IS NOT NULL;

-- Files, by content in R2 under att/<sha256>.
CREATE TABLE attachments (
  id TEXT PRIMARY KEY,
  message_id TEXT REFERENCES messages (id),
  record_id TEXT REFERENCES records (id),
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  inline INTEGER NOT NULL DEFAULT 0,
  cid TEXT,
  uploaded_by TEXT,
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX attachments_by_message ON attachments (message_id);
CREATE INDEX attachments_by_record ON attachments (record_id, created);

-- One line per user told in Mailroom rather than by email.
CREATE TABLE notifications (
  user_id TEXT NOT NULL REFERENCES users (id),
  message_id TEXT NOT NULL REFERENCES messages (id),
  record_id TEXT NOT NULL REFERENCES records (id),
  at INTEGER NOT NULL,
  read_at INTEGER,
  PRIMARY KEY (user_id, message_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE servers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('cloudflare', 'smtp')),
  host TEXT NOT NULL DEFAULT '',
  port INTEGER NOT NULL DEFAULT 0,
  security TEXT NOT NULL DEFAULT 'tls' CHECK (security IN ('none', 'starttls', 'tls')),
  username TEXT NOT NULL DEFAULT '',
  -- Encrypted with a Worker secret; never leaves by the API.
  password_sealed TEXT NOT NULL DEFAULT '',
  priority INTEGER NOT NULL DEFAULT 10,
  bulk INTEGER NOT NULL DEFAULT 0,
  enabled INTEGER NOT NULL DEFAULT 1,
  created INTEGER NOT NULL
) STRICT;

-- A row of the outgoing queue: content to send, for one or more deliveries.
CREATE TABLE emails (
  id TEXT PRIMARY KEY,
  message_id TEXT NOT NULL REFERENCES messages (id),
  record_id TEXT REFERENCES records (id),
  lane TEXT NOT NULL CHECK (lane IN ('urgent', 'normal', 'bulk')),
  sender TEXT NOT NULL, -- From as a header writes it
  -- Alias domain of its Message-ID, Reply-To and Return-Path.
  domain TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- Message ids for References, oldest first, JSON.
  refs TEXT NOT NULL DEFAULT '[]',
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX emails_by_message ON emails (message_id);

-- One recipient of an email: one envelope, one row, one idempotency key (its id).
CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  email_id TEXT NOT NULL REFERENCES emails (id),
  message_id TEXT NOT NULL REFERENCES messages (id),
  record_id TEXT REFERENCES records (id),
  contact_id TEXT REFERENCES contacts (id),
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  address_key TEXT NOT NULL,
  field TEXT NOT NULL CHECK (field IN ('to', 'cc', 'bcc')),
  lane TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('outgoing', 'sending', 'sent', 'delivered', 'deferred', 'failed', 'bounced',
    'complained', 'unknown', 'cancelled', 'ignored')),
  state_at INTEGER NOT NULL,
  -- Outgoing and deferred: not before. Sending: the lease ends.
  due INTEGER NOT NULL,
  first_due INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  -- Who has it while it is being sent.
  claim TEXT,
  server_id TEXT,
  server_name TEXT,
  reason TEXT,
  permanent INTEGER NOT NULL DEFAULT 0,
  reply_code INTEGER,
  status TEXT,
  server_text TEXT,
  -- Id the provider gave it, to match its events.
  provider_id TEXT,
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_due ON deliveries (due, id) WHERE state IN ('outgoing', 'deferred');
CREATE INDEX deliveries_leased ON deliveries (due) WHERE state = 'sending';
CREATE INDEX deliveries_by_claim ON deliveries (claim) WHERE claim IS NOT NULL;
CREATE INDEX deliveries_by_message ON deliveries (message_id);
CREATE INDEX deliveries_by_email ON deliveries (email_id);
CREATE INDEX deliveries_trouble ON deliveries (record_id, state)
  WHERE state IN ('outgoing', 'sending', 'deferred', 'failed', 'bounced', 'complained', 'unknown');
CREATE INDEX deliveries_by_state ON deliveries (state, created DESC, id DESC);
CREATE INDEX deliveries_by_time ON deliveries (created DESC, id DESC);
CREATE INDEX deliveries_by_address ON deliveries (address_key, created DESC);
CREATE INDEX deliveries_by_provider ON deliveries (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX deliveries_sent ON deliveries (state_at) WHERE state IN ('sent', 'delivered');

-- Timeline of a delivery.
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  delivery_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL DEFAULT '',
  by_name TEXT
) STRICT;
CREATE INDEX events_by_delivery ON events (delivery_id, id);

-- What the provider told of mail it took from us, kept as it came until it is matched with its delivery.
CREATE TABLE provider_events (
  sha256 TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  received INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE suppressions (
  address_key TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('all', 'campaigns')),
  address TEXT NOT NULL,
  source TEXT NOT NULL,
  evidence TEXT,
  created INTEGER NOT NULL,
  expires INTEGER,
  PRIMARY KEY (address_key, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
  id TEXT PRIMARY KEY,
  address TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,
  creates TEXT REFERENCES record_types (name),
  record_id TEXT REFERENCES records (id),
  parent_record_id TEXT REFERENCES records (id),
  defaults TEXT NOT NULL DEFAULT '{}',
  contact_rule TEXT NOT NULL CHECK (contact_rule IN ('everyone', 'known', 'followers', 'listed')),
  listed TEXT NOT NULL DEFAULT '[]',
  outcome TEXT NOT NULL CHECK (outcome IN ('refuse', 'hold')),
  refusal_text TEXT,
  any_domain INTEGER NOT NULL DEFAULT 0,
  owner_id TEXT REFERENCES users (id),
  state TEXT NOT NULL CHECK (state IN ('not_tested', 'valid', 'failing')),
  failing_since INTEGER,
  received INTEGER NOT NULL DEFAULT 0,
  last_received INTEGER,
  created INTEGER NOT NULL,
  CHECK ((creates IS NULL) <> (record_id IS NULL))
) STRICT;
CREATE INDEX aliases_any_domain ON aliases (any_domain) WHERE any_domain = 1;

-- One hand-over: a raw mail for one envelope recipient, accepted and waiting to be written, or written.
CREATE TABLE ingests (
  id TEXT PRIMARY KEY,
  -- in:v1:<recipient key>:<Message-ID or SHA-256>
  key TEXT NOT NULL UNIQUE,
  mail_from TEXT NOT NULL,
  rcpt_to TEXT NOT NULL,
  rfc_id TEXT,
  sha256 TEXT NOT NULL,
  -- Of From, Subject, Date and body: the same for another hand-over of the same mail.
  content_sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  raw_key TEXT NOT NULL,
  recipient_key TEXT NOT NULL,
  sender_key TEXT,
  -- Key of the alias it came by, and the type it made, for loop protection and the alias page.
  alias_key TEXT,
  type TEXT,
  state TEXT NOT NULL CHECK (state IN ('accepted', 'done', 'failed')),
  tries INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  verdict TEXT NOT NULL,
  record_id TEXT,
  message_id TEXT,
  received INTEGER NOT NULL
) STRICT;
CREATE INDEX ingests_open ON ingests (received) WHERE state = 'accepted';
CREATE INDEX ingests_failed ON ingests (received) WHERE state = 'failed';
CREATE INDEX ingests_by_sender ON ingests (sender_key, received);
CREATE INDEX ingests_by_rfc_id ON ingests (rfc_id);
CREATE INDEX ingests_by_sha256 ON ingests (sha256);
CREATE INDEX ingests_by_time ON ingests (received);

-- A second writer of the same hand-over breaks on this key, and with it his whole batch.
CREATE TABLE ingests_done (
  ingest_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE refusals (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  mail_from TEXT NOT NULL,
  rcpt_to TEXT NOT NULL,
  subject TEXT NOT NULL,
  from_text TEXT NOT NULL,
  rfc_id TEXT,
  sha256 TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  text TEXT NOT NULL,
  why TEXT NOT NULL,
  sender_key TEXT
) STRICT;
CREATE INDEX refusals_by_time ON refusals (at DESC, id DESC);
CREATE INDEX refusals_by_sender ON refusals (sender_key, at) WHERE sender_key IS NOT NULL;

INSERT INTO record_types (name, icon, prefix, stages, position) VALUES
  ('ticket', 'ticket', 'T', '["New","In progress","Waiting","Solved"]', 1),
  ('lead', 'lead', 'L', '["New","Qualified","Proposition","Won","Lost"]', 2),
  ('order', 'order', 'S', '["Quotation","Quotation sent","Confirmed","In production","Delivered"]', 3);
