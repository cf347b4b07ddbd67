-- A correction of an address can be taken back: what the address was before.
ALTER TABLE operation_items ADD COLUMN address TEXT;
ALTER TABLE operation_items ADD COLUMN address_key TEXT;

-- Whom a notice is for; NULL for the administrators.
ALTER TABLE notices ADD COLUMN user_id TEXT;
