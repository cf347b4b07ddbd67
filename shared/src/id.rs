//! Identifiers. Each is a newtype over a short text, so that a record id can't be handed to a function for messages.

use serde::Deserialize;
use serde::Serialize;

/// Why a text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to 64 of the characters a-z, A-Z, 0-9, '-', '_', '/', '.'")]
pub struct InvalidId;

fn is_valid(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/.".contains(&b))
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a text as it came from a path, a form or the database.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                if is_valid(&text) { Ok(Self(text)) } else { Err(InvalidId) }
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

id! {
    /// A record, in production 26 characters of a ULID; in scenario files `type/number`.
    RecordId,
    /// An entry of a chatter.
    MessageId,
    /// A person or company we write with.
    ContactId,
    /// Somebody who logs in; always also a contact.
    UserId,
    /// A row of the outgoing queue: content to send.
    EmailId,
    /// One recipient of an email.
    DeliveryId,
    /// An inbound address.
    AliasId,
    /// An outgoing server.
    ServerId,
    /// A stored file.
    AttachmentId,
    /// One hand-over of one mail to one envelope recipient.
    IngestId,
    /// A line of the refusal journal.
    RefusalId,
    /// A record type by its technical name, for example `ticket`.
    TypeName,
    /// A scheduled action.
    ActionId,
    /// Mail to many.
    CampaignId,
    /// A mailing list.
    MailingListId,
}

/// Crockford's base 32, the alphabet of a ULID.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A ULID: 48 bits of milliseconds, 80 bits of randomness, 26 characters that sort by time.
pub fn ulid(now: crate::time::Timestamp, random: [u8; 10]) -> String {
    let mut value = u128::from(now.as_millis().max(0).cast_unsigned() & 0xFFFF_FFFF_FFFF) << 80;
    for (i, byte) in random.iter().enumerate() {
        value |= u128::from(*byte) << (72 - 8 * i);
    }
    (0..26).rev().map(|i| ALPHABET.get(((value >> (5 * i)) & 31) as usize).copied().map_or('0', char::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn ulids_sort_by_time_and_are_valid_ids() {
        let earlier = ulid(Timestamp::from_millis(1_000), [255; 10]);
        let later = ulid(Timestamp::from_millis(1_001), [0; 10]);
        assert!(earlier < later, "{earlier} {later}");
        assert!(RecordId::parse(later).is_ok());
        assert_eq!(RecordId::parse("a b"), Err(InvalidId));
        assert_eq!(RecordId::parse(""), Err(InvalidId));
    }
}
