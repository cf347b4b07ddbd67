-- Limits of mail from one domain: its mails of a window are counted.

-- What stands behind the last @ of the sender.
ALTER TABLE ingests ADD COLUMN sender_domain TEXT GENERATED ALWAYS AS
  (replace(sender_key, rtrim(sender_key, replace(sender_key, '@', '')), '')) VIRTUAL;
CREATE INDEX ingests_by_domain ON ingests (sender_domain, received) WHERE sender_domain IS NOT NULL;
-- Confirmations name the mailbox as the gateway does.
UPDATE ingests SET confirmation = json_object('provider', lower(json_extract(confirmation, '$.provider')),
    'mailbox', json_extract(confirmation, '$.account'), 'code', json_extract(confirmation, '$.code'),
    'link', json_extract(confirmation, '$.link')) WHERE confirmation IS NOT NULL;
