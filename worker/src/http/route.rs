//! The routing dry run: the same reading, looking up, deciding and planning as for real mail, without the writing.

use base64::Engine;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::route::RouteReply;
use mailroom_shared::api::route::RouteRequest;
use mailroom_shared::api::route::ToldView;
use mailroom_shared::api::route::TryRoute;
use mailroom_shared::gateway::answer::Answer;
use mailroom_shared::gateway::arrival::Arrival;
use mailroom_shared::gateway::decide::decide;
use mailroom_shared::gateway::finish::told;
use mailroom_shared::gateway::inquire::inquire;
use mailroom_shared::i18n::Lang;
use mailroom_shared::intake::change;
use mailroom_shared::mail::inbound::Envelope;
use mailroom_shared::mail::inbound::InboundMail;
use mailroom_shared::mail::parse;
use mailroom_shared::thread::recipients::Recipient;

use super::endpoint::Call;
use crate::app::App;
use crate::app::RECEIVING_HOST;
use crate::error::AppError;
use crate::error::AppResult;
use crate::inbound;
use crate::store::facts;
use crate::store::records;
use crate::store::settings;

/// Largest typed text.
const MAX_TEXT: usize = 100_000;

pub(super) async fn try_route(call: Call<TryRoute>) -> AppResult<RouteReply> {
    let app = &call.app;
    let body = &call.body;
    let raw = if body.raw.is_empty() { compose(body, app)? } else { decode(&body.raw)? };
    let head = parse::parse_head(&raw);
    let envelope = Envelope {
        mail_from: match body.mail_from.trim() {
            "" => head.sender().map(|it| it.address.clone()),
            text => inbound::sender(text),
        },
        rcpt_to: match body.rcpt_to.trim() {
            "" => ours(app, &head).await?.ok_or_else(|| AppError::field("rcpt_to", "required"))?,
            text => EmailAddress::parse(text).map_err(|_| AppError::field("rcpt_to", "address"))?,
        },
    };
    let arrival = Arrival::read(envelope, &raw, RECEIVING_HOST);
    let mut reply = answer(app, arrival, &parse::parse(&raw), None, call.lang()?).await?;
    for record in reply.routes.iter().filter_map(|it| it.record.as_ref()).chain(&reply.suggestion) {
        if !call.sight()?.sees_record(app, record.as_str()).await? {
            // Where it would go may be known, not what that is about and who is told of it.
            (reply.record_number, reply.record_title) = (None, None);
            reply.told.clear();
            break;
        }
    }
    Ok(reply)
}

fn decode(text: &str) -> AppResult<Vec<u8>> {
    let text: String = text.chars().filter(|it| !it.is_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(text).map_err(|_| AppError::field("raw", "unknown"))
}

/// The first address of the mail that is on one of our domains, else the first of all.
async fn ours(app: &App, head: &mailroom_shared::mail::inbound::Head) -> AppResult<Option<EmailAddress>> {
    let domains = settings::domains(app).await?;
    let all = || head.other_recipients.iter().chain(head.to.iter().chain(&head.cc).map(|it| &it.address));
    let is_ours = |it: &&EmailAddress| domains.iter().any(|d| d.name.as_str() == it.domain());
    Ok(all().find(is_ours).or_else(|| all().next()).cloned())
}

/// A mail as somebody would have written it.
fn compose(body: &RouteRequest, app: &App) -> AppResult<Vec<u8>> {
    let from = Some(body.from.trim()).filter(|it| !it.is_empty()).unwrap_or(body.mail_from.trim());
    let Some(sender) = parse::parse_mailboxes(from).into_iter().next() else {
        return Err(AppError::field("from", "address"));
    };
    if body.text.len() > MAX_TEXT || body.subject.len() > 2_000 {
        return Err(AppError::field("text", "too_long"));
    }
    let line = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let mut lines = Vec::new();
    if let Some(proven) = body.authenticated {
        let word = if proven { "pass" } else { "fail" };
        let domain = sender.address.domain();
        lines.push(format!(
            "Authentication-Results: {RECEIVING_HOST}; spf={word} smtp.mailfrom={domain}; dkim={word} header.d={domain}; \
             dmarc={word} header.from={domain}"
        ));
    }
    lines.push(format!("From: {}", line(&sender.display())));
    lines.push(format!("To: {}", line(body.rcpt_to.trim())));
    lines.push(format!("Subject: {}", line(&body.subject)));
    lines.push(format!("Date: {}", app.now().to_rfc5322()));
    lines.push(format!("Message-ID: <try-{}@mailroom.invalid>", app.new_id().to_lowercase()));
    let id = line(body.in_reply_to.trim());
    if !id.is_empty() {
        let id = if id.starts_with('<') { id } else { format!("<{id}>") };
        lines.push(format!("In-Reply-To: {id}"));
        lines.push(format!("References: {id}"));
    }
    if body.automatic {
        lines.push("Auto-Submitted: auto-replied".to_owned());
    }
    lines.push("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n".to_owned());
    lines.push(body.text.clone());
    let out = format!("{}\r\n", lines.join("\r\n"));
    Ok(out.into_bytes())
}

/// Decides and says what would follow. `except` is the hand-over that is asked about, so that it is no duplicate of itself.
pub(super) async fn answer(
    app: &App,
    arrival: Arrival,
    mail: &InboundMail,
    except: Option<&str>,
    lang: Lang,
) -> AppResult<RouteReply> {
    let inquiry = inquire(&arrival, &app.config.token_secret);
    let (context, facts) = facts::load(app, &inquiry, except).await?;
    let now = app.now();
    let verdict = decide(&arrival, &facts, &context, now);
    let sender = arrival.sender_address().map(|it| it.as_str().to_owned()).unwrap_or_default();
    let changes = change::changes(&verdict, &facts, arrival.envelope.rcpt_to.as_str(), &sender);
    let mut people: Vec<ToldView> = Vec::new();
    for it in verdict.routes.iter().flat_map(|it| told(&arrival, &facts, it)).filter(Recipient::is_told) {
        let view = ToldView {
            name: it.name,
            email: it.address.map(|it| it.as_str().to_owned()),
            by: it.by,
            why: it.why.to_owned(),
        };
        if !people.contains(&view) {
            people.push(view);
        }
    }
    let record = verdict.routes.first().and_then(|it| it.record.clone()).or_else(|| verdict.suggestion.clone());
    let author = verdict.routes.first().and_then(|it| it.author.clone());
    let author_name = author.and_then(|id| facts.contacts.iter().find(|it| it.id == id)).map(|it| it.name.clone());
    let envelope = arrival.envelope.clone();
    let label = match &record {
        Some(id) => records::label(app, id.as_str()).await?.map(|(number, title)| (id.clone(), number, title)),
        None => None,
    };
    let mut answer = Answer::new(&arrival, mail, &facts, &context, now);
    for it in &mut answer.verdict.why {
        let named = label.as_ref().map(|(id, number, _)| (id.as_str(), number.as_str()));
        it.text = it.clone().naming(named.map(|it| it.0), named.map(|it| it.1)).say(lang);
    }
    let text = serde_json::to_value(&answer).and_then(serde_json::from_value::<RouteReply>);
    let mut reply =
        text.map_err(|e| AppError::new(mailroom_shared::api::ProblemCode::Internal).detail(e.to_string()))?;
    if let Some((_, number, title)) = label {
        reply.record_number = Some(number);
        reply.record_title = Some(title);
    }
    reply.mail_from = envelope.mail_from.map(|it| it.as_str().to_owned()).unwrap_or_default();
    envelope.rcpt_to.as_str().clone_into(&mut reply.rcpt_to);
    reply.told = people;
    reply.author_name = author_name;
    reply.changes = changes;
    Ok(reply)
}
