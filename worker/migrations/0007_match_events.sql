-- Events of the provider find their deliveries, whenever they come.

ALTER TABLE provider_events ADD COLUMN event_id TEXT;
-- The provider's id of the mail and the recipient; NULL when the event could not be read.
ALTER TABLE provider_events ADD COLUMN mail_id TEXT;
ALTER TABLE provider_events ADD COLUMN recipient_key TEXT;
ALTER TABLE provider_events ADD COLUMN kind TEXT;
-- When it was counted with its delivery.
ALTER TABLE provider_events ADD COLUMN matched INTEGER;
CREATE UNIQUE INDEX provider_events_by_id ON provider_events (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX provider_events_open ON provider_events (received) WHERE matched IS NULL AND mail_id IS NOT NULL;
CREATE INDEX provider_events_by_kind ON provider_events (kind, received) WHERE kind IS NOT NULL;
