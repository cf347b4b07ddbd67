-- What DNS says about our domains, and who changed which setting.

-- The last check of each alias domain: findings without words, as JSON.
CREATE TABLE domain_checks (
  domain TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  -- When a warning or error last came or went.
  changed INTEGER,
  report TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Written in the batch that changes the setting; before and after are JSON without secrets, empty where there was nothing.
CREATE TABLE setting_changes (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  by_name TEXT NOT NULL,
  area TEXT NOT NULL,
  item TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX setting_changes_in_order ON setting_changes (at DESC, id DESC);

-- Not with the first minute: the domain is entered, and its records made, after that.
INSERT INTO actions (name, interval_minutes, next_run) VALUES ('domain_checks', 1440, unixepoch() * 1000 + 3600000);
