-- Outgoing servers that people manage, limits that park, scheduled actions, retention.

ALTER TABLE servers ADD COLUMN from_filter TEXT NOT NULL DEFAULT '';
ALTER TABLE servers ADD COLUMN auth TEXT NOT NULL DEFAULT 'auto' CHECK (auth IN ('auto', 'plain', 'login', 'scram'));
-- STARTTLS only: 0 goes on without encryption where it is not offered.
ALTER TABLE servers ADD COLUMN strict_tls INTEGER NOT NULL DEFAULT 1;
ALTER TABLE servers ADD COLUMN daily_limit INTEGER;
ALTER TABLE servers ADD COLUMN hourly_limit INTEGER;
-- Bytes; NULL takes the default of the installation.
ALTER TABLE servers ADD COLUMN max_size INTEGER;
-- Seconds.
ALTER TABLE servers ADD COLUMN connect_timeout INTEGER NOT NULL DEFAULT 20;
ALTER TABLE servers ADD COLUMN send_timeout INTEGER NOT NULL DEFAULT 120;
-- 1 signs with the key of the From's domain.
ALTER TABLE servers ADD COLUMN dkim INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN last_success INTEGER;
ALTER TABLE servers ADD COLUMN last_trouble INTEGER;
ALTER TABLE servers ADD COLUMN last_error TEXT;
-- Troubles of the server itself in a row; its rest grows with them.
ALTER TABLE servers ADD COLUMN troubles INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN rests_until INTEGER;
-- Mails of the day when the provider said that it takes no more, and when that was.
ALTER TABLE servers ADD COLUMN learned_limit INTEGER;
ALTER TABLE servers ADD COLUMN learned_at INTEGER;

-- Why an outgoing delivery is not due yet, when it is not its own doing.
ALTER TABLE deliveries ADD COLUMN wait TEXT CHECK (wait IN ('held', 'limit', 'domain', 'server', 'queue'));
-- What stands behind the last @ of the address.
ALTER TABLE deliveries ADD COLUMN rcpt_domain TEXT GENERATED ALWAYS AS
  (replace(address_key, rtrim(address_key, replace(address_key, '@', '')), '')) VIRTUAL;
CREATE INDEX deliveries_by_domain ON deliveries (rcpt_domain, created DESC, id DESC);
CREATE INDEX deliveries_waiting ON deliveries (wait, created, id) WHERE wait IS NOT NULL;
CREATE INDEX deliveries_closed ON deliveries (state_at) WHERE state IN ('cancelled', 'ignored');

-- Recipients whose rows Auto-vacuum removed after all had it: the envelope stays white.
ALTER TABLE messages ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;

-- Mails that left, by hour (number since 1970) and class: customer, colleague, automatic.
CREATE TABLE server_usage (
  server_id TEXT NOT NULL,
  hour INTEGER NOT NULL,
  class TEXT NOT NULL CHECK (class IN ('customer', 'colleague', 'automatic')),
  n INTEGER NOT NULL,
  PRIMARY KEY (server_id, hour, class)
) STRICT, WITHOUT ROWID;

-- How a server answered, by hour: taken, refused for the mail's sake, in trouble itself; milliseconds of those it took.
CREATE TABLE server_hours (
  server_id TEXT NOT NULL,
  hour INTEGER NOT NULL,
  taken INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  trouble INTEGER NOT NULL,
  millis INTEGER NOT NULL,
  PRIMARY KEY (server_id, hour)
) STRICT, WITHOUT ROWID;

-- Recipient domains that asked a server to slow down.
CREATE TABLE domain_backoff (
  domain TEXT NOT NULL,
  server_id TEXT NOT NULL,
  until INTEGER NOT NULL,
  step INTEGER NOT NULL,
  since INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (domain, server_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE actions (
  name TEXT PRIMARY KEY,
  interval_minutes INTEGER NOT NULL,
  enabled INTEGER NOT NULL DEFAULT 1,
  next_run INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  last_error TEXT,
  switched_off_at INTEGER,
  -- Who runs it now, and until when that is believed.
  lease TEXT,
  lease_until INTEGER,
  backlog INTEGER NOT NULL DEFAULT 0,
  oldest INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO actions (name, interval_minutes) VALUES
  ('intake_sweep', 1), ('retry_sweep', 1), ('queue_manager', 60), ('auto_vacuum', 1440);

CREATE TABLE action_triggers (
  action TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (action, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE action_runs (
  id TEXT PRIMARY KEY,
  action TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  result TEXT NOT NULL CHECK (result IN ('done', 'failed')),
  -- Error of a failed run.
  error TEXT,
  items INTEGER NOT NULL,
  backlog INTEGER NOT NULL,
  oldest INTEGER,
  by_name TEXT
) STRICT;
CREATE INDEX action_runs_by_action ON action_runs (action, started DESC, id DESC);
CREATE INDEX action_runs_by_time ON action_runs (started);

-- What administrators must know. The id says what it is about, so that one thing is told once.
CREATE TABLE notices (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  args TEXT NOT NULL,
  at INTEGER NOT NULL,
  settled INTEGER
) STRICT;
CREATE INDEX notices_open ON notices (at) WHERE settled IS NULL;

CREATE TABLE dkim_keys (
  domain TEXT NOT NULL,
  selector TEXT NOT NULL,
  -- PKCS #8, encrypted with a Worker secret.
  private_sealed TEXT NOT NULL,
  -- Value of p= in the DNS record.
  public TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (domain, selector)
) STRICT, WITHOUT ROWID;

CREATE INDEX attachments_unsent ON attachments (created) WHERE message_id IS NULL AND record_id IS NULL;
CREATE INDEX attachments_by_content ON attachments (sha256);
CREATE INDEX ingests_by_raw ON ingests (raw_key);
CREATE INDEX messages_by_raw ON messages (raw_key) WHERE raw_key IS NOT NULL;
CREATE INDEX ingests_with_raw ON ingests (received) WHERE raw_key <> '' AND state = 'done';
CREATE INDEX provider_events_by_time ON provider_events (received);
CREATE INDEX sessions_by_expiry ON sessions (expires);
-- The queue by lane: what is urgent is found however much of the rest is due.
CREATE INDEX deliveries_due_urgent ON deliveries (due, id) WHERE state IN ('outgoing', 'deferred') AND lane = 'urgent';
CREATE INDEX deliveries_due_later ON deliveries (due, id) WHERE state IN ('outgoing', 'deferred') AND lane <> 'urgent';
