-- A small company as migration 0001 leaves it: a row or more in every table, so that a later migration meets what it will
-- meet in use. Never changed; the next migration that adds a table brings the next file.
INSERT INTO settings (key, value) VALUES ('company', 'Corp');
INSERT INTO domains (name, catchall, bounce, default_from, position, created)
  VALUES ('corp.example', 'catchall', 'bounce', 'notifications', 0, 1790000000000);
INSERT INTO contacts (id, name, sort_name, internal, archived, created) VALUES
  ('01M86XYJTC918FEM9P6DHJQ74X', 'Mai Lindqvist', 'mai lindqvist', 1, 0, 1790000000000),
  ('01M86XYJTC918FEM9P6DHJQ74Y', 'Ann Reid', 'ann reid', 0, 0, 1790000000001),
  ('01M86XYJTC918FEM9P6DHJQ74Z', 'Đặng Thị Hồng', 'đặng thị hồng', 0, 1, 1790000000002);
INSERT INTO contact_emails (contact_id, key, address, position) VALUES
  ('01M86XYJTC918FEM9P6DHJQ74X', 'mai@corp.example', 'mai@corp.example', 0),
  ('01M86XYJTC918FEM9P6DHJQ74Y', 'ok.ann@sink.test', 'ok.Ann@sink.test', 0),
  ('01M86XYJTC918FEM9P6DHJQ74Y', 'ann@home.example', 'ann@home.example', 1);
-- The password is `a good password`.
INSERT INTO users (id, contact_id, login_key, password_hash, role, language, notify_by, created) VALUES
  ('01M86XYJTCYGJAHSNPKENV654R', '01M86XYJTC918FEM9P6DHJQ74X', 'mai@corp.example',
   '$argon2id$v=19$m=19456,t=2,p=1$d4UVfUGkdblvpO+PiyaJ9w$Hm0P/rGyGH/Aufg9Ziwa0wxeTItw1g8Ipr6LdH5JNlU',
   'administrator', 'en', 'mailroom', 1790000000000);
INSERT INTO sessions (id, user_id, created, expires)
  VALUES ('5e55', '01M86XYJTCYGJAHSNPKENV654R', 1790000000000, 1790600000000);
INSERT INTO record_types (name, label, label_plural, icon, prefix, stages, receives_mail, flat, next_number, position)
  VALUES ('repair', 'Repair', 'Repairs', 'record', 'R', '["New","Done"]', 1, 0, 2, 4);
UPDATE record_types SET next_number = 3 WHERE name = 'ticket';
INSERT INTO records (id, type, number, title, stage, email, email_key, customer_id, responsible_id, waiting_since, alias, tags,
    fields, version, deleted, last_at, last_author, last_snippet, messages, attachments, created) VALUES
  ('01M86XYJTC000000000000000A', 'ticket', 1, 'Leaking hatch', 'In progress', 'ok.Ann@sink.test', 'ok.ann@sink.test',
   '01M86XYJTC918FEM9P6DHJQ74Y', '01M86XYJTCYGJAHSNPKENV654R', 1790000100000, 'support@corp.example', '["vip"]',
   '{"hull":"7"}', 4, 0, 1790000100000, 'Ann Reid', 'It still leaks', 3, 1, 1790000050000),
  ('01M86XYJTC000000000000000B', 'ticket', 2, 'Deleted', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '[]', '{}', 1, 1,
   1790000060000, NULL, NULL, 0, 0, 1790000060000),
  ('01M86XYJTC000000000000000C', 'repair', 1, 'Chair no. 7', 'New', NULL, NULL, NULL, NULL, NULL, NULL, '[]', '{}', 1, 0,
   1790000070000, NULL, NULL, 0, 0, 1790000070000);
INSERT INTO search (rowid, text, record_id) VALUES
  (1, 'Leaking hatch', '01M86XYJTC000000000000000A'), (2, 'It still leaks', '01M86XYJTC000000000000000A');
INSERT INTO followers (record_id, contact_id, created)
  VALUES ('01M86XYJTC000000000000000A', '01M86XYJTC918FEM9P6DHJQ74Y', 1790000050000);
INSERT INTO participants (record_id, address_key) VALUES ('01M86XYJTC000000000000000A', 'ok.ann@sink.test');
INSERT INTO paused_senders (address_key, reason, created) VALUES ('robot@loop.example', 'loop', 1790000000000);
INSERT INTO reads (user_id, record_id, read_at)
  VALUES ('01M86XYJTCYGJAHSNPKENV654R', '01M86XYJTC000000000000000A', 1790000060000);
INSERT INTO messages (id, record_id, parent_id, kind, internal, incoming, automatic, author_id, author_name, author_email, subject,
    recipients, delivered_to, text, folded, has_html, has_remote_images, authenticated, system, issues, held, rfc_id, raw_key,
    post_key, draft, search_row, leaves_at, at) VALUES
  ('01M86XYJTC000000000000001A', '01M86XYJTC000000000000000A', NULL, 'email', 0, 1, NULL, '01M86XYJTC918FEM9P6DHJQ74Y', 'Ann Reid',
   'ok.Ann@sink.test', 'Leaking hatch', '{"to":[{"name":null,"address":"support@corp.example"}],"cc":[],"reply_to":[]}',
   'support@corp.example', 'It leaks', 'Sent from my phone', 0, 0, 1, NULL, '["no_date"]', NULL, '<1@sink.test>',
   'raw/00.eml', NULL, NULL, 1, NULL, 1790000050000),
  ('01M86XYJTC000000000000001B', '01M86XYJTC000000000000000A', '01M86XYJTC000000000000001A', 'comment', 0, 0, NULL,
   '01M86XYJTC918FEM9P6DHJQ74X', 'Mai Lindqvist', 'mai@corp.example', 'Re: Leaking hatch', '{}', NULL, 'We come on Friday', NULL, 0, 0,
   NULL, NULL, '[]', NULL, '<2@corp.example>', NULL, 'k1', NULL, NULL, 1790000070000, 1790000060000),
  ('01M86XYJTC000000000000001C', '01M86XYJTC000000000000000A', NULL, 'system', 1, 0, NULL, NULL, 'Mai Lindqvist', NULL, '', '{}', NULL,
   '', NULL, 0, 0, NULL, '{"key":"stage_changed","args":{"from":"New","to":"In progress"}}', '[]', NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, 1790000080000),
  ('01M86XYJTC000000000000001D', '01M86XYJTC000000000000000A', '01M86XYJTC000000000000001B', 'email', 0, 1, NULL, NULL, 'Stranger',
   'who@else.example', 'Re: Leaking hatch', '{}', 'support@corp.example', 'It still leaks', NULL, 1, 1, 0, NULL, '[]', 'stranger',
   '<3@else.example>', 'raw/01.eml', NULL, NULL, 2, NULL, 1790000100000);
INSERT INTO attachments (id, message_id, record_id, name, content_type, size, sha256, inline, cid, uploaded_by, created) VALUES
  ('01M86XYJTC000000000000002A', '01M86XYJTC000000000000001A', '01M86XYJTC000000000000000A', 'hatch.jpg', 'image/jpeg', 7, 'ab', 0,
   NULL, NULL, 1790000050000),
  ('01M86XYJTC000000000000002B', NULL, NULL, 'draft.pdf', 'application/pdf', 9, 'cd', 0, NULL, '01M86XYJTCYGJAHSNPKENV654R',
   1790000050000);
INSERT INTO notifications (user_id, message_id, record_id, at, read_at) VALUES
  ('01M86XYJTCYGJAHSNPKENV654R', '01M86XYJTC000000000000001A', '01M86XYJTC000000000000000A', 1790000050000, NULL);
INSERT INTO servers (id, name, kind, host, port, security, username, password_sealed, priority, bulk, enabled, created) VALUES
  ('01M86XYJTC000000000000003A', 'relay', 'smtp', '127.0.0.1', 2526, 'none', '', '', 10, 0, 1, 1790000000000),
  ('01M86XYJTC000000000000003B', 'Cloudflare', 'cloudflare', '', 0, 'tls', '', '', 20, 0, 0, 1790000000000);
INSERT INTO emails (id, message_id, record_id, lane, sender, domain, subject, refs, created) VALUES
  ('01M86XYJTC000000000000004A', '01M86XYJTC000000000000001B', '01M86XYJTC000000000000000A', 'urgent',
   '{"name":"Mai Lindqvist","address":"mai@corp.example"}', 'corp.example', 'Re: Leaking hatch', '["<1@sink.test>"]', 1790000060000);
INSERT INTO deliveries (id, email_id, message_id, record_id, contact_id, name, address, address_key, field, lane, state, state_at, due,
    first_due, tries, claim, server_id, server_name, reason, permanent, reply_code, status, server_text, provider_id, created) VALUES
  ('01M86XYJTC000000000000005A', '01M86XYJTC000000000000004A', '01M86XYJTC000000000000001B', '01M86XYJTC000000000000000A',
   '01M86XYJTC918FEM9P6DHJQ74Y', 'Ann Reid', 'ok.Ann@sink.test', 'ok.ann@sink.test', 'to', 'urgent', 'sent', 1790000071000,
   1790000070000, 1790000070000, 1, NULL, '01M86XYJTC000000000000003A', 'relay', NULL, 0, 250, NULL, '250 2.0.0 Ok', NULL, 1790000060000),
  ('01M86XYJTC000000000000005B', '01M86XYJTC000000000000004A', '01M86XYJTC000000000000001B', '01M86XYJTC000000000000000A', NULL,
   'hard.bea@sink.test', 'hard.bea@sink.test', 'hard.bea@sink.test', 'cc', 'urgent', 'failed', 1790000071000, 1790000070000,
   1790000070000, 1, NULL, '01M86XYJTC000000000000003A', 'relay', 'userunknown', 1, 550, '5.1.1', '550 5.1.1 not known here', NULL,
   1790000060000),
  ('01M86XYJTC000000000000005C', '01M86XYJTC000000000000004A', '01M86XYJTC000000000000001B', '01M86XYJTC000000000000000A', NULL,
   'lost@sink.test', 'lost@sink.test', 'lost@sink.test', 'bcc', 'urgent', 'unknown', 1790000071000, 1790000070000, 1790000070000, 1,
   NULL, '01M86XYJTC000000000000003B', 'Cloudflare', NULL, 0, NULL, NULL, NULL, 'p1', 1790000060000);
INSERT INTO events (id, delivery_id, at, kind, text, by_name) VALUES
  (1, '01M86XYJTC000000000000005A', 1790000071000, 'accepted', '250 2.0.0 Ok', NULL),
  (2, '01M86XYJTC000000000000005B', 1790000071000, 'refused', '550 5.1.1 not known here', NULL),
  (3, '01M86XYJTC000000000000005B', 1790000072000, 'ignored', '', 'Mai Lindqvist');
INSERT INTO provider_events (sha256, body, received) VALUES ('ef', '{"type":"cf.email.sending.message.delivered"}', 1790000072000);
INSERT INTO suppressions (address_key, scope, address, source, evidence, created, expires)
  VALUES ('hard.bea@sink.test', 'all', 'hard.bea@sink.test', 'bounce', '01M86XYJTC000000000000005B', 1790000071000, NULL);
INSERT INTO aliases (id, address, key, creates, record_id, parent_record_id, defaults, contact_rule, listed, outcome, refusal_text,
    any_domain, owner_id, state, failing_since, received, last_received, created) VALUES
  ('01M86XYJTC000000000000006A', 'support@corp.example', 'support@corp.example', 'ticket', NULL, NULL, '{"tags":["mail"]}', 'everyone',
   '[]', 'refuse', NULL, 0, '01M86XYJTCYGJAHSNPKENV654R', 'valid', NULL, 2, 1790000100000, 1790000000000),
  ('01M86XYJTC000000000000006B', 'hatch@corp.example', 'hatch@corp.example', NULL, '01M86XYJTC000000000000000A', NULL, '{}', 'listed',
   '["@sink.test"]', 'hold', 'Ask Mai', 1, NULL, 'failing', 1790000090000, 0, NULL, 1790000000000);
INSERT INTO ingests (id, key, mail_from, rcpt_to, rfc_id, sha256, content_sha256, size, raw_key, recipient_key, sender_key, alias_key,
    type, state, tries, error, verdict, record_id, message_id, received) VALUES
  ('01M86XYJTC000000000000007A', 'in:v1:support@corp.example:<1@sink.test>', 'ok.Ann@sink.test', 'support@corp.example',
   '<1@sink.test>', '00', '10', 400, 'raw/00.eml', 'support@corp.example', 'ok.ann@sink.test', 'support@corp.example', 'ticket', 'done',
   1, NULL, '{}', '01M86XYJTC000000000000000A', '01M86XYJTC000000000000001A', 1790000050000),
  ('01M86XYJTC000000000000007B', 'in:v1:support@corp.example:02', '', 'support@corp.example', NULL, '02', '12', 400, 'raw/02.eml',
   'support@corp.example', NULL, NULL, NULL, 'failed', 10, 'the raw mail raw/02.eml is gone', '{}', NULL, NULL, 1790000090000);
INSERT INTO ingests_done (ingest_id) VALUES ('01M86XYJTC000000000000007A');
INSERT INTO refusals (id, at, mail_from, rcpt_to, subject, from_text, rfc_id, sha256, status, reason, text, why, sender_key) VALUES
  ('01M86XYJTC000000000000008A', 1790000040000, 'who@else.example', 'nosuch@corp.example', 'Anybody?', 'Who <who@else.example>', NULL,
   '03', '5.1.1', 'no_such_address', 'nothing here has the address nosuch@corp.example', '["no_such_address: nothing"]',
   'who@else.example');
