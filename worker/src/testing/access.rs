//! Every route for every role and for nobody. The table says who may; a route that it does not know fails the test.

use futures::executor::block_on;
use mailroom_shared::access::Scope;
use mailroom_shared::api::session::Role;
use serde_json::json;

use super::TestApp;
use super::people::ask;
use super::tests::set_up;
use crate::http::mounted;
use crate::statement;

const ROUTES: &str = "
GET    /api/files/{token}                                 anyone
GET    /api/health                                        anyone
GET    /api/openapi.json                                  anyone
POST   /api/v1/confirm/{token}                            anyone
GET    /api/v1/join/{token}                               anyone
POST   /api/v1/join/{token}                               anyone
POST   /api/v1/password                                   anyone
GET    /api/v1/password/{token}                           anyone
POST   /api/v1/password/{token}                           anyone
GET    /api/v1/session                                    anyone
POST   /api/v1/session                                    anyone
GET    /api/v1/setup                                      anyone
POST   /api/v1/setup                                      anyone
GET    /api/v1/actions                                    user
GET    /api/v1/aliases                                    user
GET    /api/v1/aliases/{id}                               user
GET    /api/v1/attachments/{id}                           user
GET    /api/v1/attachments/{id}/mail                      user
GET    /api/v1/contacts                                   user
GET    /api/v1/contacts/{id}                              user
GET    /api/v1/contacts/{id}/timeline                     user
GET    /api/v1/deliverability                             user
GET    /api/v1/dkim                                       user
GET    /api/v1/doctor                                     user
GET    /api/v1/domains                                    user
GET    /api/v1/emails                                     user
GET    /api/v1/emails/counts                              user
GET    /api/v1/emails/matching                            user
GET    /api/v1/failures                                   user
GET    /api/v1/failures/actions                           user
GET    /api/v1/failures/{group}                           user
GET    /api/v1/failures/{group}/addresses                 user
GET    /api/v1/incoming                                   user
GET    /api/v1/incoming/counts                            user
GET    /api/v1/incoming/{id}                              user
POST   /api/v1/incoming/{id}/check                        user
GET    /api/v1/incoming/{id}/original                     user
GET    /api/v1/limits                                     user
GET    /api/v1/logs                                       user
GET    /api/v1/logs/files                                 user
GET    /api/v1/mails                                      user
GET    /api/v1/messages/{id}/body                         user
GET    /api/v1/messages/{id}/deliveries                   user
GET    /api/v1/messages/{id}/origin                       user
GET    /api/v1/messages/{id}/original                     user
GET    /api/v1/outgoing-rules                             user
GET    /api/v1/paused                                     user
GET    /api/v1/policy                                     user
GET    /api/v1/profile                                    user
DELETE /api/v1/profile/address                            user
POST   /api/v1/profile/address                            user
POST   /api/v1/profile/password                           user
DELETE /api/v1/profile/sessions                           user
DELETE /api/v1/profile/sessions/{id}                      user
GET    /api/v1/records                                    user
GET    /api/v1/records/{id}                               user
PATCH  /api/v1/records/{id}                               user
GET    /api/v1/notifications                              user
PATCH  /api/v1/notifications                              user
GET    /api/v1/records/{id}/messages                      user
GET    /api/v1/retention                                  user
GET    /api/v1/retention/preview                          user
POST   /api/v1/route                                      user
GET    /api/v1/servers/simulate                           user
POST   /api/v1/support/facts                              user
DELETE /api/v1/session                                    user
PATCH  /api/v1/session                                    user
GET    /api/v1/shell                                      user
GET    /api/v1/slowed                                     user
GET    /api/v1/status                                     user
GET    /api/v1/status/canary/{id}                         user
GET    /api/v1/suppressions                               user
GET    /api/v1/suppressions.csv                           user
GET    /api/v1/suppressions/history                       user
GET    /api/v1/trace/{id}                                 user
GET    /api/v1/users                                      user
POST   /api/v1/attachments                                agent
POST   /api/v1/contacts                                   agent
PATCH  /api/v1/contacts/{id}                              agent
POST   /api/v1/emails/actions                             agent
POST   /api/v1/failures/actions                           agent
DELETE /api/v1/failures/actions/{operation}               agent
POST   /api/v1/failures/corrections                       agent
POST   /api/v1/incoming/actions                           agent
DELETE /api/v1/messages/{id}                              agent
POST   /api/v1/messages/{id}/deliveries                   agent
POST   /api/v1/messages/{id}/held                         agent
POST   /api/v1/messages/{id}/move                         agent
POST   /api/v1/records                                    agent
POST   /api/v1/records/{id}/followers                     user
DELETE /api/v1/records/{id}/followers/{contact}           user
PATCH  /api/v1/records/{id}/followers/{contact}           user
POST   /api/v1/records/{id}/messages                      agent
POST   /api/v1/records/{id}/recipients                    agent
POST   /api/v1/suppressions                               agent
POST   /api/v1/suppressions/lift                          agent
DELETE /api/v1/suppressions/history/{event}               agent
GET    /u/{token}                                         anyone
GET    /o/{token}                                         anyone
GET    /c/{token}                                         anyone
GET    /f/{token}                                         anyone
GET    /api/v1/templates                                  user
POST   /api/v1/templates                                  agent
PATCH  /api/v1/templates/{id}                             agent
DELETE /api/v1/templates/{id}                             agent
POST   /api/v1/templates/preview                          agent
GET    /api/v1/records/{id}/templates/{template}          user
POST   /api/v1/messages/{id}/send-now                     agent
GET    /api/v1/campaigns                                  user
GET    /api/v1/campaigns/{id}                             user
GET    /api/v1/campaigns/{id}/preflight                   user
GET    /api/v1/campaigns/{id}/results                     user
GET    /api/v1/campaigns/{id}/domains                     user
GET    /api/v1/mailing-lists                              user
POST   /api/v1/campaigns                                  campaigns
PATCH  /api/v1/campaigns/{id}                             campaigns
DELETE /api/v1/campaigns/{id}                             campaigns
POST   /api/v1/campaigns/{id}/acts                        campaigns
POST   /api/v1/campaigns/{id}/test                        campaigns
GET    /api/v1/campaigns/{id}/recipients                  campaigns
GET    /api/v1/campaigns/{id}/recipients.csv              campaigns
POST   /api/v1/mailing-lists                              campaigns
PATCH  /api/v1/mailing-lists/{id}                         campaigns
GET    /api/v1/mailing-lists/{id}/members                 campaigns
GET    /api/v1/mailing-lists/{id}/members.csv             campaigns
POST   /api/v1/mailing-lists/{id}/members                 campaigns
POST   /api/v1/mailing-lists/{id}/acts                    campaigns
POST   /api/v1/mailing-lists/{id}/import                  campaigns
GET    /api/v1/logs/files/{day}                           administrator
PATCH  /api/v1/actions/{name}                             administrator
POST   /api/v1/actions/{name}/runs                        administrator
POST   /api/v1/aliases                                    administrator
DELETE /api/v1/aliases/{id}                               administrator
PATCH  /api/v1/aliases/{id}                               administrator
POST   /api/v1/dkim/{domain}                              administrator
POST   /api/v1/doctor/domains/{name}                      administrator
PATCH  /api/v1/doctor/resolver                            administrator
GET    /api/v1/setting-changes                            administrator
POST   /api/v1/domains                                    administrator
DELETE /api/v1/domains/{name}                             administrator
PATCH  /api/v1/domains/{name}                             administrator
PATCH  /api/v1/limits                                     administrator
GET    /api/v1/limits/support                             administrator
GET    /api/v1/notices                                    user
DELETE /api/v1/notices/{id}                               user
PATCH  /api/v1/outgoing-rules                             administrator
POST   /api/v1/paused                                     administrator
POST   /api/v1/paused/{address}/release                   administrator
PATCH  /api/v1/policy                                     administrator
GET    /api/v1/people                                     administrator
POST   /api/v1/people                                     administrator
PATCH  /api/v1/people/{id}                                administrator
DELETE /api/v1/people/{id}/invitation                     administrator
POST   /api/v1/people/{id}/invitation                     administrator
PATCH  /api/v1/retention                                  administrator
GET    /api/v1/servers                                    administrator
POST   /api/v1/servers                                    administrator
POST   /api/v1/servers/test                               administrator
POST   /api/v1/status/canary                              administrator
DELETE /api/v1/servers/{id}                               administrator
PATCH  /api/v1/servers/{id}                               administrator
DELETE /api/v1/slowed/{domain}                            administrator
POST   /api/v1/suppressions/import                        administrator
GET    /api/v1/tokens                                     administrator
POST   /api/v1/tokens                                     administrator
DELETE /api/v1/tokens/{id}                                administrator
POST   /api/v1/users                                      administrator
";

/// Administrator, agent, campaign manager, read-only, nobody.
fn may(word: &str) -> [bool; 5] {
    match word {
        "anyone" => [true; 5],
        "user" => [true, true, true, true, false],
        "agent" => [true, true, true, false, false],
        "campaigns" => [true, false, true, false, false],
        "administrator" => [true, false, false, false, false],
        _ => panic!("{word}"),
    }
}

fn table() -> Vec<(&'static str, &'static str, &'static str)> {
    let line = |it: &'static str| {
        let mut words = it.split_whitespace();
        (words.next().unwrap(), words.next().unwrap(), words.next().unwrap())
    };
    ROUTES.lines().filter(|it| !it.is_empty()).map(line).collect()
}

/// A user of a role with a session, straight into the tables: a hundred logins would take minutes.
fn log_in(test: &TestApp, role: Role, token: &str) {
    let hash = mailroom_shared::mail::parse::sha256_hex(token.as_bytes());
    let user = format!("u-{}", role.as_str());
    let statements = vec![
        statement!(
            "INSERT OR IGNORE INTO contacts (id, name, sort_name, internal, created) VALUES (?1, ?1, ?1, 1, 0)",
            &user
        ),
        statement!(
            "INSERT OR IGNORE INTO contact_emails (contact_id, key, address, position) VALUES (?1, ?1 || '@corp.test', ?1 || '@corp.test', 0)",
            &user
        ),
        statement!(
            "INSERT OR IGNORE INTO users (id, contact_id, login_key, password_hash, role, language, notify_by, created)
             VALUES (?1, ?1, ?1, '', ?2, 'en', 'mailroom', 0)",
            &user,
            role.as_str()
        ),
        statement!(
            "INSERT OR REPLACE INTO sessions (id, user_id, created, expires) VALUES (?1, ?2, 0, 9e15)",
            hash,
            &user
        ),
    ];
    block_on(test.app.db.batch(statements)).unwrap();
}

fn path(route: &str) -> String {
    route.split('/').map(|it| if it.starts_with('{') { "x" } else { it }).collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_is_open_to_whom_it_should_be_and_to_nobody_else() {
    let table = table();
    let test = TestApp::new();
    set_up(&test);
    let mut wrong = Vec::new();
    for (method, route, word) in &table {
        let callers = Role::ALL.into_iter().map(Some).chain([None]);
        for (role, may) in callers.zip(may(word)) {
            if let Some(role) = role {
                log_in(&test, role, role.as_str());
            }
            let cookie = role.map_or(String::new(), |it| format!("__Host-mailroom={}", it.as_str()));
            let headers = [("x-mailroom", "1"), ("cookie", cookie.as_str())];
            let reply = ask(&test, method, &path(route), &headers, &json!({}));
            let refusal = reply.body["code"].as_str().unwrap_or_default().to_owned();
            let expected = match (may, role) {
                (true, _) => !["unauthorized", "forbidden", "cross_site", "token_scope"].contains(&refusal.as_str()),
                (false, Some(_)) => (reply.status, refusal.as_str()) == (403, "forbidden"),
                (false, None) => (reply.status, refusal.as_str()) == (401, "unauthorized"),
            };
            if !expected {
                wrong.push(format!("{method} {route} for {role:?}: {} {refusal}", reply.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_knows_every_route_and_no_other() {
    let table = table();
    let mounted = mounted();
    let unknown: Vec<_> = mounted.iter().filter(|(m, r, _)| !table.iter().any(|it| (it.0, it.1) == (*m, *r))).collect();
    let gone: Vec<_> = table.iter().filter(|it| !mounted.iter().any(|(m, r, _)| (it.0, it.1) == (*m, *r))).collect();
    assert!(unknown.is_empty() && gone.is_empty(), "not in the table: {unknown:?}\nnot mounted: {gone:?}");
    assert_eq!(mounted.len(), table.len(), "each once");
}

/// Without the header that only our own page sends, a write with a cookie is refused, whoever it is.
#[test]
fn every_write_asks_for_our_own_header() {
    let test = TestApp::new();
    set_up(&test);
    log_in(&test, Role::Administrator, "administrator");
    let mut n = 0;
    for (method, route, _) in table().into_iter().filter(|it| it.0 != "GET") {
        let reply = ask(&test, method, &path(route), &[("cookie", "__Host-mailroom=administrator")], &json!({}));
        assert_eq!((reply.status, &reply.body["code"]), (403, &json!("cross_site")), "{method} {route}");
        n += 1;
    }
    assert!(n > 40, "{n}");
}

/// A token with all scopes but the one an operation needs is refused, and one with that alone is not.
#[test]
fn every_route_asks_a_token_for_its_scope() {
    use mailroom_shared::access::Need;
    use mailroom_shared::access::need;
    use mailroom_shared::api::Method;
    let test = TestApp::new();
    set_up(&test);
    let token = |name: &str, scopes: &[Scope]| {
        let user = format!("t-{name}");
        let it = crate::store::tokens::NewToken {
            id: name,
            user: &user,
            contact: &user,
            name,
            hash: &mailroom_shared::mail::parse::sha256_hex(name.as_bytes()),
            scopes,
            by_name: "",
            language: "en",
            expires: None,
        };
        block_on(test.app.db.batch(crate::store::tokens::insert(&it, test.app.now()))).unwrap();
    };
    for scope in Scope::ALL {
        let others: Vec<Scope> = Scope::ALL.into_iter().filter(|it| *it != scope).collect();
        token(scope.as_str(), &[scope]);
        token(&format!("not-{}", scope.as_str()), &others);
    }
    let mut n = 0;
    for (method, route, access) in mounted() {
        let Some(access) = access else { continue };
        let verb =
            [Method::Get, Method::Post, Method::Patch, Method::Delete].into_iter().find(|it| it.as_str() == method);
        let code = |name: &str| {
            let bearer = format!("Bearer {name}");
            ask(&test, method, &path(route), &[("authorization", &bearer)], &json!({})).body["code"].clone()
        };
        match need(access, verb.unwrap(), route) {
            Need::Nothing => {}
            Need::Person => assert_eq!(code("administer"), "forbidden", "{method} {route}"),
            Need::Scope(scope) => {
                assert_eq!(code(&format!("not-{}", scope.as_str())), "token_scope", "{method} {route}");
                let with = code(scope.as_str());
                assert!(with != "token_scope" && with != "forbidden", "{method} {route}: {with}");
                n += 1;
            }
        }
    }
    assert!(n > 70, "{n}");
}
