-- Message-IDs that a mail refers to and that were unknown when it came: the mail it answers may be on its way still.
CREATE TABLE awaited_ids (
  rfc_id TEXT NOT NULL,
  -- The message that refers to it.
  message_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (rfc_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX awaited_ids_by_time ON awaited_ids (at);
