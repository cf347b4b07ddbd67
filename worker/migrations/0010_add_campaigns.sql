-- Campaigns: mailing lists, the ledger of recipients, who opened, followed links and unsubscribed.

-- Messages need a record: those of campaigns hang on one that no list shows.
ALTER TABLE record_types ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
INSERT INTO record_types (name, icon, prefix, stages, receives_mail, position, hidden)
  VALUES ('campaign', 'campaign', 'C', '[]', 0, 1000, 1);
INSERT INTO records (id, type, number, title, deleted, last_at, created)
  VALUES ('campaigns', 'campaign', 0, 'Campaigns', 1, 0, 0);

CREATE TABLE mailing_lists (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  public INTEGER NOT NULL DEFAULT 0,
  archived INTEGER NOT NULL DEFAULT 0,
  columns TEXT NOT NULL DEFAULT '[]', -- JSON array of names
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE mailing_list_members (
  list_id TEXT NOT NULL REFERENCES mailing_lists (id),
  address_key TEXT NOT NULL,
  address TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  fields TEXT NOT NULL DEFAULT '{}', -- JSON, column to value
  added INTEGER NOT NULL,
  opted_out INTEGER,
  -- Who opted it out; NULL is the member.
  opted_out_by TEXT,
  PRIMARY KEY (list_id, address_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_opted_out ON mailing_list_members (list_id) WHERE opted_out IS NOT NULL;

CREATE TABLE campaigns (
  id TEXT PRIMARY KEY, -- also of its email and its message
  name TEXT NOT NULL,
  subject TEXT NOT NULL DEFAULT '',
  preheader TEXT NOT NULL DEFAULT '',
  sender TEXT, -- JSON mailbox
  reply_to TEXT,
  language TEXT NOT NULL DEFAULT 'en',
  audience TEXT NOT NULL DEFAULT '{}', -- JSON
  content TEXT NOT NULL DEFAULT '{}', -- JSON; fixed once it has left the draft
  track INTEGER NOT NULL DEFAULT 1,
  state TEXT NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'queued', 'sending', 'paused', 'sent', 'stopped')),
  by_name TEXT NOT NULL,
  created INTEGER NOT NULL,
  scheduled INTEGER,
  started INTEGER,
  ended INTEGER,
  -- Where writing down the recipients goes on: number of the list, last address.
  source INTEGER NOT NULL DEFAULT 0,
  after TEXT NOT NULL DEFAULT '',
  is_listed INTEGER NOT NULL DEFAULT 0,
  -- Those who get it, once all are written down.
  recipients INTEGER NOT NULL DEFAULT 0,
  -- Recipients up to this number are in the queue.
  handed INTEGER NOT NULL DEFAULT 0,
  is_expanded INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX campaigns_by_state ON campaigns (state, created, id);
CREATE INDEX campaigns_by_time ON campaigns (created DESC, id DESC);

-- The ledger. The delivery of a recipient is the first 16 characters of the campaign's id and ten digits of n.
CREATE TABLE campaign_recipients (
  n INTEGER PRIMARY KEY,
  campaign_id TEXT NOT NULL REFERENCES campaigns (id),
  address_key TEXT NOT NULL,
  address TEXT NOT NULL,
  name TEXT NOT NULL,
  fields TEXT NOT NULL,
  -- How often the address stood on the lists.
  copies INTEGER NOT NULL DEFAULT 1,
  left_out TEXT CHECK (left_out IN ('suppressed', 'bounced', 'complained', 'unsubscribed', 'opted_out', 'invalid', 'meanwhile')),
  -- State of a delivery that Auto-vacuum removed.
  final TEXT,
  final_at INTEGER,
  UNIQUE (campaign_id, address_key)
) STRICT;
CREATE INDEX recipients_in_order ON campaign_recipients (campaign_id, n);
CREATE INDEX recipients_by_reason ON campaign_recipients (campaign_id, left_out, copies);
CREATE INDEX recipients_final ON campaign_recipients (campaign_id, final) WHERE final IS NOT NULL;

-- What was fetched: pictures, links, the way out. One row per recipient, link and kind of visitor.
CREATE TABLE campaign_hits (
  n INTEGER NOT NULL REFERENCES campaign_recipients (n),
  kind TEXT NOT NULL CHECK (kind IN ('open', 'click', 'unsubscribe')),
  link INTEGER NOT NULL DEFAULT -1,
  robot INTEGER NOT NULL DEFAULT 0,
  campaign_id TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  times INTEGER NOT NULL DEFAULT 1,
  -- Why it is taken for a robot.
  why TEXT,
  PRIMARY KEY (n, kind, link, robot)
) STRICT, WITHOUT ROWID;
CREATE INDEX hits_by_campaign ON campaign_hits (campaign_id, kind, robot, n);

-- The campaign that an email belongs to: itself, or a test of it.
ALTER TABLE emails ADD COLUMN campaign_id TEXT;

CREATE INDEX deliveries_of_campaigns ON deliveries (email_id, state, id) WHERE lane = 'bulk';
CREATE INDEX deliveries_due_normal ON deliveries (due, id) WHERE state IN ('outgoing', 'deferred') AND lane = 'normal';

INSERT INTO actions (name, interval_minutes) VALUES ('campaign_queue', 1440);
