//! How long things are kept. Auto-vacuum removes the rest, class by class; a failed or waiting mail is in no class.

use serde::Deserialize;
use serde::Serialize;

/// What is removed once its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Rows of the queue whose every recipient has it; the text stays on the record.
    SentEmails,
    /// Rows of the queue that people cancelled or ignored.
    CancelledEmails,
    /// Raw bytes of mail that came in, for *Show original*; text and files of the message stay.
    RawMail,
    /// The journal of mail we said no to.
    Refusals,
    /// Events of the provider that are matched or too old to be.
    ProviderEvents,
    /// Runs of scheduled actions, use per hour, notices that are settled, sessions that ended.
    Logs,
    /// Day files of the log.
    LogFiles,
    /// Files uploaded to a composer and never sent.
    UnsentFiles,
    /// Stored bytes that no row names any more.
    OrphanedBlobs,
}

impl Class {
    pub const ALL: [Self; 9] = [
        Self::SentEmails,
        Self::CancelledEmails,
        Self::RawMail,
        Self::Refusals,
        Self::ProviderEvents,
        Self::Logs,
        Self::LogFiles,
        Self::UnsentFiles,
        Self::OrphanedBlobs,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SentEmails => "sent_emails",
            Self::CancelledEmails => "cancelled_emails",
            Self::RawMail => "raw_mail",
            Self::Refusals => "refusals",
            Self::ProviderEvents => "provider_events",
            Self::Logs => "logs",
            Self::LogFiles => "log_files",
            Self::UnsentFiles => "unsent_files",
            Self::OrphanedBlobs => "orphaned_blobs",
        }
    }

    /// Days a new installation keeps it; 0 is for ever.
    pub const fn default_days(self) -> u32 {
        match self {
            Self::SentEmails | Self::ProviderEvents => 30,
            Self::CancelledEmails => 180,
            Self::RawMail => 0,
            Self::Refusals | Self::Logs => 90,
            Self::LogFiles => 365,
            Self::UnsentFiles | Self::OrphanedBlobs => 1,
        }
    }
}

/// Days per class; 0 is for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Retention {
    pub sent_emails: u32,
    pub cancelled_emails: u32,
    pub raw_mail: u32,
    pub refusals: u32,
    pub provider_events: u32,
    pub logs: u32,
    pub log_files: u32,
    pub unsent_files: u32,
    pub orphaned_blobs: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            sent_emails: Class::SentEmails.default_days(),
            cancelled_emails: Class::CancelledEmails.default_days(),
            raw_mail: Class::RawMail.default_days(),
            refusals: Class::Refusals.default_days(),
            provider_events: Class::ProviderEvents.default_days(),
            logs: Class::Logs.default_days(),
            log_files: Class::LogFiles.default_days(),
            unsent_files: Class::UnsentFiles.default_days(),
            orphaned_blobs: Class::OrphanedBlobs.default_days(),
        }
    }
}

impl Retention {
    pub const fn days(&self, class: Class) -> u32 {
        match class {
            Class::SentEmails => self.sent_emails,
            Class::CancelledEmails => self.cancelled_emails,
            Class::RawMail => self.raw_mail,
            Class::Refusals => self.refusals,
            Class::ProviderEvents => self.provider_events,
            Class::Logs => self.logs,
            Class::LogFiles => self.log_files,
            Class::UnsentFiles => self.unsent_files,
            Class::OrphanedBlobs => self.orphaned_blobs,
        }
    }

    pub const fn days_mut(&mut self, class: Class) -> &mut u32 {
        match class {
            Class::SentEmails => &mut self.sent_emails,
            Class::CancelledEmails => &mut self.cancelled_emails,
            Class::RawMail => &mut self.raw_mail,
            Class::Refusals => &mut self.refusals,
            Class::ProviderEvents => &mut self.provider_events,
            Class::Logs => &mut self.logs,
            Class::LogFiles => &mut self.log_files,
            Class::UnsentFiles => &mut self.unsent_files,
            Class::OrphanedBlobs => &mut self.orphaned_blobs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_field() {
        let mut it = Retention::default();
        for class in Class::ALL {
            assert_eq!(it.days(class), class.default_days(), "{class:?}");
            *it.days_mut(class) = 7;
            assert_eq!(it.days(class), 7);
        }
        let json = serde_json::to_value(&it).unwrap();
        for class in Class::ALL {
            assert_eq!(json[class.as_str()], 7);
        }
    }
}
