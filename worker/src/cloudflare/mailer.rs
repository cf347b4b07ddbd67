//! The two ways mail leaves: Cloudflare Email Sending by its binding, SMTP by sockets.

use async_trait::async_trait;
use mailroom_shared::api::servers::ServerKind;
use mailroom_shared::api::servers::TestReport;
use mailroom_shared::api::servers::TestStage;
use mailroom_shared::outbox::health;
use worker::Env;

use super::env::EMAIL;
use super::smtp::SmtpSession;
use super::smtp_test;
use crate::ports::Envelope;
use crate::ports::MailSession;
use crate::ports::Mailer;
use crate::ports::SendOutcome;
use crate::ports::ServerAccess;

pub(super) struct PlatformMailer {
    pub(super) env: Env,
    pub(super) is_dev: bool,
}

#[async_trait(?Send)]
impl Mailer for PlatformMailer {
    fn open(&self, server: &ServerAccess) -> Box<dyn MailSession> {
        match server.kind {
            ServerKind::Cloudflare => Box::new(Binding { env: self.env.clone() }),
            ServerKind::Smtp => Box::new(SmtpSession::new(server.clone(), self.is_dev)),
        }
    }

    async fn test(&self, server: &ServerAccess, sender: &str) -> TestReport {
        match server.kind {
            // The binding offers nothing to try but sending: that it is there is all that can be said.
            ServerKind::Cloudflare => {
                let missing = self.env.send_email(EMAIL).err().map(|it| it.to_string());
                TestReport {
                    ok: missing.is_none(),
                    passed: if missing.is_none() { vec![TestStage::Connect] } else { Vec::new() },
                    failed: missing.is_some().then_some(TestStage::Connect),
                    text: missing.unwrap_or_default(),
                    max_size: None,
                    offers: Vec::new(),
                    millis: 0,
                }
            }
            ServerKind::Smtp => smtp_test::run(server, self.is_dev, sender).await,
        }
    }
}

/// `send_email`: raw MIME in, id or coded error out.
struct Binding {
    env: Env,
}

#[async_trait(?Send)]
impl MailSession for Binding {
    async fn send(&mut self, envelope: &Envelope) -> SendOutcome {
        let Ok(binding) = self.env.send_email(EMAIL) else {
            return SendOutcome::Down { text: "E_NOT_CONFIGURED the binding EMAIL is missing".to_owned() };
        };
        // The platform takes text; what we compose is 7-bit or UTF-8.
        let raw = String::from_utf8_lossy(&envelope.raw);
        let message = match worker::EmailMessage::new(&envelope.header_from, &envelope.rcpt_to, &raw) {
            Ok(message) => message,
            Err(error) => return SendOutcome::Refused { code: 0, text: format!("{error:?}") },
        };
        match binding.send(&message).await {
            Ok(result) => SendOutcome::Accepted {
                text: "accepted by Cloudflare".to_owned(),
                provider_id: js_sys::Reflect::get(result.as_ref(), &"messageId".into())
                    .ok()
                    .and_then(|it| it.as_string()),
            },
            // The call is one exchange: an error means that it was not taken.
            Err(error) => told(describe(&error)),
        }
    }

    async fn close(&mut self) {}
}

/// Cloudflare's codes by whom they concern: us for today, the service, or this mail.
fn told(text: String) -> SendOutcome {
    if health::says_quota_is_used_up(&text) {
        SendOutcome::Full { text }
    } else if text.starts_with("E_RATE_LIMIT_EXCEEDED") || text.starts_with("E_INTERNAL_SERVER_ERROR") {
        SendOutcome::Down { text }
    } else {
        SendOutcome::Refused { code: 0, text }
    }
}

/// `CODE message`, so that the classifier finds Cloudflare's code in front.
fn describe(error: &wasm_bindgen::JsValue) -> String {
    let get = |name: &str| js_sys::Reflect::get(error, &name.into()).ok().and_then(|it| it.as_string());
    match (get("code"), get("message")) {
        (Some(code), Some(message)) => format!("{code} {message}"),
        (None, Some(message)) => message,
        _ => format!("{error:?}"),
    }
}
