//! Rules of mail that comes in: loop protection, who is believed, what is too large.

use serde::Deserialize;
use serde::Serialize;

use crate::policy::Policy;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InboundRules {
    #[serde(default)]
    pub policy: Policy,
    /// Bytes the database may have on the platform's plan; people are told at 70 % of it.
    #[serde(default)]
    pub database_limit: Option<u64>,
}

crate::endpoints! {
    ReadInboundRules: Get "/api/v1/policy" "Rules of mail that comes in" { query: (), body: () } -> InboundRules;
    ChangeInboundRules: Patch "/api/v1/policy" "Change the rules of mail that comes in, all at once" { query: (), body: InboundRules } -> InboundRules;
}
