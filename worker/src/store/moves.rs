//! Moving a mail from one record to another.

use crate::ports::Statement;
use crate::statement;

pub fn forget_suggestion(message: &str) -> Statement {
    statement!("UPDATE messages SET suggestion_id = NULL WHERE id = ?1", message)
}

/// The message with its files, words, people and deliveries; figures of both records. In one batch.
pub fn move_message(message: &str, from: &str, to: &str) -> Vec<Statement> {
    let newest = "FROM messages WHERE record_id = ?1 AND kind <> 'system' AND held IS NOT 'dismissed'
      ORDER BY at DESC, id DESC LIMIT 1";
    let figures = |record: &str| {
        statement!(
            format!(
                "UPDATE records SET
                   messages = (SELECT COUNT(*) FROM messages WHERE record_id = ?1 AND kind <> 'system' AND held IS NOT 'dismissed'),
                   attachments = (SELECT COUNT(*) FROM attachments WHERE record_id = ?1 AND inline = 0),
                   last_author = (SELECT author_name {newest}), last_snippet = (SELECT substr(text, 1, 140) {newest}),
                   last_at = COALESCE((SELECT at {newest}), last_at) WHERE id = ?1"
            ),
            record
        )
    };
    vec![
        statement!(
            "UPDATE messages SET record_id = ?2, suggestion_id = NULL, parent_id = NULL WHERE id = ?1",
            message,
            to
        ),
        statement!("UPDATE attachments SET record_id = ?2 WHERE message_id = ?1", message, to),
        statement!("UPDATE deliveries SET record_id = ?2 WHERE message_id = ?1", message, to),
        statement!("UPDATE emails SET record_id = ?2 WHERE message_id = ?1", message, to),
        statement!(
            "UPDATE search SET record_id = ?2 WHERE rowid = (SELECT search_row FROM messages WHERE id = ?1)",
            message,
            to
        ),
        statement!(
            "UPDATE notifications SET record_id = ?2 WHERE message_id = ?1",
            message,
            to
        ),
        statement!(
            "UPDATE ingests SET record_id = ?2 WHERE id = (SELECT i.id FROM messages m JOIN ingests i
               ON i.sha256 = substr(m.raw_key, 5, 64) WHERE m.id = ?1 AND i.message_id = m.id LIMIT 1)",
            message,
            to
        ),
        statement!(
            "INSERT OR IGNORE INTO participants (record_id, address_key)
             SELECT ?2, e.key FROM messages m JOIN contact_emails e ON e.contact_id = m.author_id WHERE m.id = ?1",
            message,
            to
        ),
        statement!(
            "UPDATE records SET waiting_since = COALESCE(waiting_since, (SELECT waiting_since FROM records WHERE id = ?1))
             WHERE id = ?2",
            from,
            to
        ),
        figures(from),
        figures(to),
    ]
}

/// Ends a record that holds nothing but lines of what happened.
pub fn close_empty(record: &str) -> Statement {
    statement!(
        "UPDATE records SET deleted = 1, waiting_since = NULL, version = version + 1 WHERE id = ?1
         AND NOT EXISTS (SELECT 1 FROM messages WHERE record_id = ?1 AND kind <> 'system' AND held IS NOT 'dismissed')",
        record
    )
}
