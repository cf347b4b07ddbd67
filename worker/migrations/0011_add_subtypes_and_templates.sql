-- What each follower is told of, mails that say how to stop, and templates for mail to customers.

ALTER TABLE followers ADD COLUMN messages INTEGER NOT NULL DEFAULT 1;
-- Colleagues only.
ALTER TABLE followers ADD COLUMN notes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE followers ADD COLUMN stages INTEGER NOT NULL DEFAULT 0;
-- Colleagues who follow already were told of notes until now.
UPDATE followers SET notes = 1 WHERE contact_id IN (SELECT id FROM contacts WHERE internal = 1);

-- 1: told because the recipient follows the record; the mail says how to stop.
ALTER TABLE deliveries ADD COLUMN follows INTEGER NOT NULL DEFAULT 0;

CREATE TABLE templates (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  subject TEXT NOT NULL DEFAULT '',
  text TEXT NOT NULL,
  by_name TEXT NOT NULL,
  changed INTEGER NOT NULL
) STRICT;
CREATE INDEX templates_by_name ON templates (name, id);
