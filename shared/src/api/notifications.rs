//! What somebody was told in Mailroom rather than by email: unread until it is done, kept when it has a star.

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use crate::id::MessageId;
use crate::id::RecordId;
use crate::time::Timestamp;

/// Which of one's own notifications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationFilter {
    #[default]
    Unread,
    Starred,
    All,
}

impl NotificationFilter {
    pub const ALL: [Self; 3] = [Self::Unread, Self::Starred, Self::All];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Starred => "starred",
            Self::All => "all",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotificationQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<NotificationFilter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// 1 to 200, 50 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One message that the user who asks was told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotificationRow {
    pub message: MessageId,
    pub record: RecordId,
    /// `T00042`.
    pub number: String,
    pub title: String,
    pub author: String,
    /// A note, which stays inside.
    pub internal: bool,
    /// First words of the message.
    pub snippet: String,
    pub at: Timestamp,
    pub read: bool,
    pub starred: bool,
}

/// Marks notifications of one's own; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MarkNotifications {
    /// Of these messages; empty is all of one's own.
    #[serde(default)]
    pub messages: Vec<MessageId>,
    #[serde(default)]
    pub read: Option<bool>,
    /// Needs `messages`.
    #[serde(default)]
    pub starred: Option<bool>,
}

crate::endpoints! {
    ListNotifications: Get "/api/v1/notifications" "What one was told in Mailroom, newest first" { query: NotificationQuery, body: () } -> Page<NotificationRow>;
    ChangeNotifications: Patch "/api/v1/notifications" "Mark notifications of one's own as read or with a star" { query: (), body: MarkNotifications } -> ();
}
