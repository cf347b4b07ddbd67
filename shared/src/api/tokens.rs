//! API tokens: how other programs call, each with a name, scopes and an end.

use serde::Deserialize;
use serde::Serialize;

use crate::access::Scope;
use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenRow {
    pub id: String,
    pub name: String,
    pub scopes: Vec<Scope>,
    /// Who made it.
    pub by: String,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
    pub last_used: Option<Timestamp>,
    pub revoked: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewToken {
    /// What its messages are signed with: `Shop` shows as *Shop (API)*.
    pub name: String,
    pub scopes: Vec<Scope>,
    /// Days until it ends; none never does.
    #[serde(default)]
    pub days: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreatedToken {
    pub row: TokenRow,
    /// For `Authorization: Bearer`; shown this once.
    pub secret: String,
}

crate::endpoints! {
    ListTokens: Get "/api/v1/tokens" "API tokens" { query: (), body: () } -> Vec<TokenRow>;
    CreateToken: Post "/api/v1/tokens" "Make an API token; the answer shows it, this once" { query: (), body: NewToken } -> CreatedToken;
    RevokeToken: Delete "/api/v1/tokens/{id}" "Revoke an API token at once" { query: (), body: () } -> ();
}
