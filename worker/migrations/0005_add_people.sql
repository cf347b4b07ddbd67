-- Who is invited, whose address is confirmed, what each may see, logins that can be told apart, API tokens.

-- A token acts as a user of its own, who never logs in.
ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'token'));
-- When mail to the address was answered by its link, or mail from it came authenticated.
ALTER TABLE users ADD COLUMN confirmed INTEGER;
-- When mail from the address last failed its checks.
ALTER TABLE users ADD COLUMN failed_checks INTEGER;
ALTER TABLE users ADD COLUMN last_seen INTEGER;
-- Who could send before this version goes on.
UPDATE users SET confirmed = created;

-- Record types a user sees; without rows all.
CREATE TABLE user_types (
  user_id TEXT NOT NULL REFERENCES users (id),
  type TEXT NOT NULL REFERENCES record_types (name),
  PRIMARY KEY (user_id, type)
) STRICT, WITHOUT ROWID;

ALTER TABLE sessions ADD COLUMN last_seen INTEGER;
ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';

-- Links in mails about a login: invitations, new passwords, addresses to confirm. The token itself is in the mail alone.
CREATE TABLE account_links (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('invitation', 'password', 'address')),
  -- SHA-256 of the token; another one with each mail.
  hash TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  -- Whose login it is; NULL for an invitation.
  user_id TEXT REFERENCES users (id),
  -- Of an invitation.
  name TEXT NOT NULL DEFAULT '',
  role TEXT CHECK (role IN ('administrator', 'agent', 'campaign_manager', 'read_only')),
  types TEXT NOT NULL DEFAULT '[]',
  by_name TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL,
  -- Its newest mail.
  email_id TEXT,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  CHECK ((kind = 'invitation') = (user_id IS NULL))
) STRICT;
CREATE INDEX account_links_by_email ON account_links (email_key, kind, created);
CREATE INDEX account_links_by_user ON account_links (user_id, kind) WHERE user_id IS NOT NULL;
CREATE INDEX account_links_by_expiry ON account_links (expires);

-- The link that is put into the text when the mail leaves: what is stored opens nothing.
ALTER TABLE emails ADD COLUMN account_link TEXT;

-- Mail about logins belongs to no record that people see: all of it hangs on this one.
INSERT INTO records (id, type, number, title, deleted, last_at, created)
  SELECT '00000000000000000000000000', name, 0, 'Accounts', 1, 0, 0 FROM record_types ORDER BY position LIMIT 1;

CREATE TABLE api_tokens (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL UNIQUE REFERENCES users (id),
  name TEXT NOT NULL,
  -- SHA-256 of the secret.
  hash TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL, -- JSON array of words
  by_name TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER,
  last_used INTEGER,
  revoked INTEGER,
  -- Requests within a minute (number since 1970).
  minute INTEGER NOT NULL DEFAULT 0,
  requests INTEGER NOT NULL DEFAULT 0
) STRICT;
