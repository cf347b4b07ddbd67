//! Who may do what, as two tables: what a role may, and what an API token needs. The Worker asks here before every
//! operation; nothing else decides about it.

use serde::Deserialize;
use serde::Serialize;

use crate::api::Method;
use crate::api::session::Role;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// No login.
    Anyone,
    /// Any login.
    User,
    /// May write to customers.
    Agent,
    /// May send to lists.
    Campaigns,
    Administrator,
}

/// What each role may, in the order of [`Role::ALL`]: administrator, agent, campaign manager, read-only.
const ROLES: [(Access, [bool; 4]); 5] = [
    (Access::Anyone, [true, true, true, true]),
    (Access::User, [true, true, true, true]),
    (Access::Agent, [true, true, true, false]),
    (Access::Campaigns, [true, false, true, false]),
    (Access::Administrator, [true, false, false, false]),
];

impl Access {
    pub fn allows(self, role: Role) -> bool {
        let may = ROLES.iter().find(|(it, _)| *it == self).map(|(_, may)| may);
        may.is_some_and(|may| Role::ALL.into_iter().zip(may).any(|(it, may)| it == role && *may))
    }
}

/// What an API token was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read records, messages, files and lists.
    Read,
    /// Make and change records and contacts, upload files.
    Write,
    /// Write messages and have them mailed, retry what failed.
    Send,
    /// Lists and campaigns.
    Campaigns,
    /// Settings, aliases, servers, users.
    Administer,
}

impl Scope {
    pub const ALL: [Self; 5] = [Self::Read, Self::Write, Self::Send, Self::Campaigns, Self::Administer];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Send => "send",
            Self::Campaigns => "campaigns",
            Self::Administer => "administer",
        }
    }
}

/// What a token must have to call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Nothing,
    Scope(Scope),
    /// About a person's own login: no token will do.
    Person,
}

/// Operations that make mail leave.
const SENDING: [&str; 6] = [
    "/api/v1/records/{id}/messages",
    "/api/v1/messages/{id}/deliveries",
    "/api/v1/emails/actions",
    "/api/v1/failures/actions",
    "/api/v1/failures/actions/{operation}",
    "/api/v1/failures/corrections",
];

/// Beginnings of what only a person does: own login, tokens, colleagues.
const PERSONAL: [&str; 4] = ["/api/v1/session", "/api/v1/profile", "/api/v1/tokens", "/api/v1/people"];

pub fn need(access: Access, method: Method, route: &str) -> Need {
    if access == Access::Anyone {
        return Need::Nothing;
    }
    if PERSONAL.iter().any(|it| route.starts_with(it)) {
        return Need::Person;
    }
    Need::Scope(match access {
        Access::Administrator => Scope::Administer,
        Access::Campaigns => Scope::Campaigns,
        _ if method == Method::Get => Scope::Read,
        _ if SENDING.contains(&route) => Scope::Send,
        _ => Scope::Write,
    })
}

/// The role a token acts with: the smallest one that may all its scopes name.
pub fn role_of(scopes: &[Scope]) -> Role {
    let has = |scope: Scope| scopes.contains(&scope);
    if has(Scope::Administer) {
        Role::Administrator
    } else if has(Scope::Campaigns) {
        Role::CampaignManager
    } else if has(Scope::Write) || has(Scope::Send) {
        Role::Agent
    } else {
        Role::ReadOnly
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Endpoint;
    use crate::api::emails::ActOnQueue;
    use crate::api::failures::ActOnFailing;
    use crate::api::failures::CorrectFailing;
    use crate::api::failures::UndoFailures;
    use crate::api::messages::PostMessage;
    use crate::api::messages::SettleMessage;

    #[test]
    fn each_role_may_what_its_name_says() {
        let may = |access: Access| Role::ALL.map(|it| access.allows(it));
        assert_eq!(may(Access::User), [true; 4]);
        assert_eq!(may(Access::Agent), [true, true, true, false]);
        assert_eq!(may(Access::Campaigns), [true, false, true, false]);
        assert_eq!(may(Access::Administrator), [true, false, false, false]);
    }

    #[test]
    fn a_token_needs_the_scope_of_what_it_does() {
        let check =
            |access, method, route: &str, need_: Need| assert_eq!(need(access, method, route), need_, "{route}");
        check(Access::Anyone, Method::Post, "/api/v1/session", Need::Nothing);
        check(Access::User, Method::Get, "/api/v1/records", Need::Scope(Scope::Read));
        check(Access::Agent, Method::Post, "/api/v1/records", Need::Scope(Scope::Write));
        check(Access::User, Method::Patch, "/api/v1/records/{id}", Need::Scope(Scope::Write));
        check(Access::Campaigns, Method::Get, "/api/v1/campaigns", Need::Scope(Scope::Campaigns));
        check(Access::Administrator, Method::Get, "/api/v1/servers", Need::Scope(Scope::Administer));
        check(Access::User, Method::Get, "/api/v1/profile", Need::Person);
        check(Access::Administrator, Method::Post, "/api/v1/tokens", Need::Person);
        let sending = [
            PostMessage::ROUTE,
            SettleMessage::ROUTE,
            ActOnQueue::ROUTE,
            ActOnFailing::ROUTE,
            UndoFailures::ROUTE,
            CorrectFailing::ROUTE,
        ];
        assert_eq!(sending, SENDING, "routes that were renamed");
        for route in sending {
            check(Access::Agent, Method::Post, route, Need::Scope(Scope::Send));
        }
    }

    #[test]
    fn a_token_acts_with_the_smallest_role_that_fits() {
        let check = |scopes: &[Scope], role| assert_eq!(role_of(scopes), role, "{scopes:?}");
        check(&[], Role::ReadOnly);
        check(&[Scope::Read], Role::ReadOnly);
        check(&[Scope::Read, Scope::Send], Role::Agent);
        check(&[Scope::Write], Role::Agent);
        check(&[Scope::Campaigns, Scope::Write], Role::CampaignManager);
        check(&[Scope::Campaigns, Scope::Administer], Role::Administrator);
    }
}
