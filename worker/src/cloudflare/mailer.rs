//! The two ways mail leaves: Cloudflare Email Sending by its binding, SMTP by sockets.

use async_trait::async_trait;
use worker::Env;

use super::env::EMAIL;
use super::smtp::SmtpSession;
use crate::ports::Envelope;
use crate::ports::MailSession;
use crate::ports::Mailer;
use crate::ports::SendOutcome;
use crate::ports::ServerAccess;
use crate::ports::ServerKind;

pub(super) struct PlatformMailer {
    pub(super) env: Env,
    pub(super) is_dev: bool,
}

impl Mailer for PlatformMailer {
    fn open(&self, server: &ServerAccess) -> Box<dyn MailSession> {
        match server.kind {
            ServerKind::Cloudflare => Box::new(Binding { env: self.env.clone() }),
            ServerKind::Smtp => Box::new(SmtpSession::new(server.clone(), self.is_dev)),
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
            return SendOutcome::Refused { code: 0, text: "E_NOT_CONFIGURED the binding EMAIL is missing".to_owned() };
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
            Err(error) => SendOutcome::Refused { code: 0, text: describe(&error) },
        }
    }

    async fn close(&mut self) {}
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
