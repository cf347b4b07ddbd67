-- What somebody was told in Mailroom: kept as read or with a star, listed by time.
ALTER TABLE notifications ADD COLUMN starred INTEGER NOT NULL DEFAULT 0 CHECK (starred IN (0, 1));
CREATE INDEX notifications_by_time ON notifications (user_id, at, message_id);
CREATE INDEX notifications_unread ON notifications (user_id, at, message_id) WHERE read_at IS NULL;
CREATE INDEX notifications_starred ON notifications (user_id, at, message_id) WHERE starred = 1;
CREATE INDEX notifications_read ON notifications (read_at) WHERE read_at IS NOT NULL AND starred = 0;
