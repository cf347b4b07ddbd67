-- Failures by cause, what was done about them, and addresses we do not write to.

CREATE INDEX deliveries_failing ON deliveries (reason, created DESC, id DESC)
  WHERE state IN ('deferred', 'failed', 'bounced', 'complained', 'unknown') AND reason IS NOT NULL;

ALTER TABLE suppressions ADD COLUMN reason TEXT;
ALTER TABLE suppressions ADD COLUMN note TEXT;
ALTER TABLE suppressions ADD COLUMN by_name TEXT;
CREATE INDEX suppressions_by_time ON suppressions (created DESC, address_key);

-- What a person did to many deliveries at once, so that it can be undone.
CREATE TABLE operations (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  kind TEXT NOT NULL CHECK (kind IN ('retry', 'ignore', 'cancel'))
) STRICT, WITHOUT ROWID;

CREATE TABLE operation_items (
  operation_id TEXT NOT NULL REFERENCES operations (id),
  delivery_id TEXT NOT NULL,
  -- Where it was before.
  state TEXT NOT NULL,
  PRIMARY KEY (operation_id, delivery_id)
) STRICT, WITHOUT ROWID;
