//! Plays the conversations in the order of time. Each step sets the clock, does what a person would do, and waits until it
//! is to be seen.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::letters;
use super::talks::{ALIASES, REFUSED, Short, TALKS, TEAM, Talk, short};
use crate::client::Client;
use crate::mail::Mail;
use crate::report::Head;
use crate::smtp::client;
use crate::stack::Stack;

/// One step of a conversation. What is written from outside comes by SMTP, the rest is done in Mailroom.
#[derive(Debug, Clone, Copy)]
pub(super) enum Turn {
    /// The customer writes.
    In(&'static str),
    /// The same, above what we wrote.
    Quoting(&'static str),
    /// HTML with a picture in it: file in `fixtures/demo`, and its id.
    Picture(&'static str, &'static str, &'static str),
    /// HTML with a picture elsewhere.
    Remote(&'static str),
    /// Text with a PDF of that name.
    File(&'static str, &'static str),
    /// A whole mail as its sender's program wrote it.
    Whole(&'static [u8]),
    /// The agent answers.
    Out(&'static str),
    /// With a copy to others.
    OutTo(&'static str, &'static [&'static str]),
    /// With a PDF.
    Offer(&'static str, &'static str),
    /// The agent notes; colleagues called with @ by index.
    Note(&'static str, &'static [usize]),
    NoteBy(usize, &'static str),
    Stage(&'static str),
    Follow(&'static str, &'static str),
    /// The first failing delivery goes to this address instead.
    Correct(&'static str),
}

/// What is due at a time.
enum Step {
    /// Of a talk, the turn of that number.
    Talk(usize, usize),
    /// The mail of a short one, then the answer.
    Ask(usize),
    Answer(usize),
    Refused(usize),
    /// The letter to many leaves; somebody reads it.
    Letter,
    Read(usize),
}

/// A conversation under way.
struct Case {
    record: String,
    /// Where the customer is written to.
    address: String,
    /// The last thing we wrote, for those who quote it.
    ours: String,
    /// The message with deliveries.
    message: String,
}

struct Colleague {
    api: Client,
    user: String,
    contact: String,
}

pub(super) struct Company<'a> {
    stack: &'a Stack,
    domain: &'a str,
    team: Vec<Colleague>,
    cases: HashMap<String, Case>,
    seen: HashSet<String>,
    /// Real time, and what the Worker's clock shows.
    now: Duration,
    clock: Duration,
    posted: u32,
    short: Vec<Short>,
}

const HOUR: Duration = Duration::from_hours(1);
/// A mail is written within a fraction of this.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

impl<'a> Company<'a> {
    pub(super) fn start(stack: &'a Stack, domain: &'a str, login: &str, password: &str, now: Duration) -> Result<Self> {
        let mut company = Self {
            stack,
            domain,
            team: Vec::new(),
            cases: HashMap::new(),
            seen: HashSet::new(),
            now,
            clock: now,
            posted: 0,
            short: short().collect(),
        };
        let admin = stack.client();
        admin.login(login, password)?;
        company.set_clock_by(&admin, now.saturating_sub(14 * 24 * HOUR))?;
        let servers = admin.get("/api/v1/servers")?.ok()?;
        if let Some(server) = servers.get(0) {
            let mut settings = server.get("settings").cloned().unwrap_or_default();
            letters::set(&mut settings, "name", json!("Office mail server"));
            letters::set(&mut settings, "bulk", json!(true));
            letters::set(&mut settings, "daily_limit", json!(200));
            admin.patch(&format!("/api/v1/servers/{}", text(server, "id")), &settings)?.ok()?;
        }
        for (name, local, role) in TEAM.into_iter().skip(1) {
            let user =
                json!({ "name": name, "email": format!("{local}@{domain}"), "password": password, "role": role });
            admin.post("/api/v1/users", &user)?.ok()?;
        }
        stack.confirm_addresses()?;
        for (index, (_, local, _)) in TEAM.into_iter().enumerate() {
            let login = if index == 0 { login.to_owned() } else { format!("{local}@{domain}") };
            let api = stack.client();
            let me = api.login(&login, password)?;
            api.patch("/api/v1/session", &json!({ "notify_by": "mailroom" }))?.ok()?;
            company.team.push(Colleague { api, user: text(&me, "user"), contact: text(&me, "contact") });
        }
        for (local, creates, contact_rule, listed, outcome, owner) in ALIASES {
            let alias = json!({
                "address": format!("{local}@{domain}"), "creates": creates, "contact_rule": contact_rule,
                "listed": listed, "outcome": outcome, "owner": company.agent(owner)?.user,
            });
            company.admin()?.post("/api/v1/aliases", &alias)?.ok()?;
        }
        Ok(company)
    }

    /// A minute of the Worker.
    pub(super) fn tick(&self) -> Result<()> {
        self.admin()?.post("/api/dev/tick", &json!({})).map(drop)
    }

    pub(super) fn play(&mut self) -> Result<()> {
        let mut steps = self.timeline();
        steps.sort_by_key(|(at, _)| *at);
        for (at, step) in steps {
            self.set_clock(at.max(self.clock))?;
            match step {
                Step::Talk(index, number) => {
                    let talk = TALKS.get(index).context("a talk")?;
                    let turn = *talk.turns.get(number).context("a turn")?;
                    self.turn(talk, turn).with_context(|| format!("{}: {turn:?}", talk.subject))?;
                    if number + 1 == talk.turns.len() {
                        self.finish(talk.subject, talk.agent, talk.stage)?;
                    }
                }
                Step::Ask(index) => self.ask(index)?,
                Step::Answer(index) => {
                    let Short { subject, agent, answer, stage, .. } = *self.short.get(index).context("a short one")?;
                    self.answer(subject, agent, answer, &[], None)?;
                    self.finish(subject, agent, stage)?;
                }
                Step::Refused(index) => self.refused(index)?,
                Step::Letter => {
                    let id = letters::prepare(self.admin()?, self.domain)?;
                    letters::leave(self.admin()?, &id)?;
                }
                Step::Read(number) => letters::read(self.stack, number)?,
            }
        }
        self.set_clock(self.now)?;
        self.mark_read()
    }

    /// All steps with their times. Gaps look human and are the same each time; none reaches into the future.
    fn timeline(&self) -> Vec<(Duration, Step)> {
        let start = |ago: u32, seed: usize| {
            self.awake((self.now + Duration::from_secs((seed as u64 * 397) % 1_500)).saturating_sub(ago * HOUR))
        };
        let mut steps = Vec::new();
        for (index, talk) in TALKS.iter().enumerate() {
            let mut at = start(talk.ago, index).min(self.now);
            let most = (talk.ago * HOUR / 2) / u32::try_from(talk.turns.len()).unwrap_or(1);
            for number in 0..talk.turns.len() {
                steps.push((at, Step::Talk(index, number)));
                let gap = Duration::from_mins(23 + ((index * 71 + number * 113) % 290) as u64);
                at = self.awake(at + gap.min(most));
            }
        }
        for (index, short) in self.short.iter().enumerate() {
            let at = start(short.ago, index + 3).min(self.now);
            steps.push((at, Step::Ask(index)));
            if !short.answer.is_empty() {
                let gap = Duration::from_mins(14 + ((index * 97) % 260) as u64);
                steps.push((self.awake(at + gap.min(short.ago * HOUR / 2)), Step::Answer(index)));
            }
        }
        let refused = REFUSED.iter().enumerate().map(|(index, it)| (start(it.0, index), Step::Refused(index)));
        steps.extend(refused);
        let letter = self.awake(self.now.saturating_sub(50 * HOUR));
        steps.push((letter, Step::Letter));
        for number in 0..letters::OPENED {
            let gap = Duration::from_mins(40 + (number * number * 9) as u64);
            steps.push((self.awake(letter + gap).min(self.now), Step::Read(number)));
        }
        steps
    }

    /// The same time, or the next morning, unless that has not come yet.
    fn awake(&self, at: Duration) -> Duration {
        let hour = at.as_secs() / 3_600 % 24;
        let sleeps = match hour {
            0..6 => 6 - hour,
            21.. => 30 - hour,
            _ => 0,
        };
        let morning = at + Duration::from_hours(sleeps);
        if morning < self.now.saturating_sub(HOUR / 2) { morning } else { at.min(self.now) }
    }

    fn turn(&mut self, talk: &Talk, turn: Turn) -> Result<()> {
        if !self.cases.contains_key(talk.subject) && !talk.to.is_empty() && is_type(talk.to) {
            self.make(talk)?;
        }
        let from = format!("{} <{}>", talk.name, self.case(talk.subject).map_or(talk.address, |it| &it.address));
        let mail = |text: &str| Mail::new(&from, "", talk.subject, text);
        match turn {
            Turn::In(text) => self.write(talk, mail(text)),
            Turn::Quoting(text) => {
                let ours = self.case(talk.subject).map(|it| it.ours.clone()).unwrap_or_default();
                let quoted = ours.lines().map(|it| format!("> {it}")).collect::<Vec<_>>().join("\n");
                let (name, local, _) = TEAM.get(talk.agent).context("a colleague")?;
                let day = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + self.clock);
                let when = day.get(..16).unwrap_or_default();
                let line = format!("On {when}, {name} <{local}@{}> wrote:", self.domain);
                self.write(talk, mail(&format!("{text}\n\n{line}\n{quoted}\n")))
            }
            Turn::Picture(html, file, cid) => {
                let path = crate::paths::root().join("tests/fixtures/demo").join(file);
                let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                self.write(talk, mail(&plain(html)).html(html).inline("image/png", file, cid, &bytes))
            }
            Turn::Remote(html) => self.write(talk, mail(&plain(html)).html(html)),
            Turn::File(text, name) => self.write(talk, mail(text).attach("application/pdf", name, &pdf(name))),
            Turn::Whole(raw) => self.arrive(talk.subject, talk.address, &format!("{}@{}", talk.to, self.domain), raw),
            Turn::Out(text) => self.answer(talk.subject, talk.agent, text, &[], None),
            Turn::OutTo(text, cc) => self.answer(talk.subject, talk.agent, text, cc, None),
            Turn::Offer(text, name) => self.answer(talk.subject, talk.agent, text, &[], Some(name)),
            Turn::Note(text, people) => self.note(talk.subject, talk.agent, text, people),
            Turn::NoteBy(who, text) => self.note(talk.subject, who, text, &[]),
            Turn::Stage(stage) => self.change(talk.subject, talk.agent, &json!({ "stage": stage })),
            Turn::Follow(name, address) => {
                let path = format!("/api/v1/records/{}/followers", self.record(talk.subject)?);
                let follower = json!({ "name": name, "email": address });
                self.agent(talk.agent)?.api.post(&path, &follower)?.ok().map(drop)
            }
            Turn::Correct(address) => self.correct(talk, address),
        }
    }

    /// A record made in Mailroom rather than by mail.
    fn make(&mut self, talk: &Talk) -> Result<()> {
        let agent = self.agent(talk.agent)?;
        let new = json!({
            "type": talk.to, "title": talk.subject, "email": talk.address, "customer_name": talk.name,
            "responsible": agent.user,
        });
        let record = text(&agent.api.post("/api/v1/records", &new)?.ok()?, "id");
        self.open(talk.subject, record, talk.address);
        Ok(())
    }

    fn ask(&mut self, index: usize) -> Result<()> {
        let Short { to, name, address, subject, question, .. } = *self.short.get(index).context("a short one")?;
        let to = format!("{to}@{}", self.domain);
        let mail = Mail::new(&format!("{name} <{address}>"), &to, subject, question);
        let raw = mail.date(self.clock.as_secs()).message_id(&message_id(subject, 0, address)).raw()?;
        self.arrive(subject, address, &to, &raw).with_context(|| subject.to_owned())
    }

    /// A mail of the customer: a new one to the alias, or an answer to what we sent last.
    fn write(&mut self, talk: &Talk, mail: Mail) -> Result<()> {
        let alias = format!("{}@{}", talk.to, self.domain);
        let address = self.case(talk.subject).map_or_else(|| talk.address.to_owned(), |it| it.address.clone());
        let sent = self.stack.sink().messages_to(&address).pop();
        let (to, mail) = match &sent {
            Some(sent) => {
                let head = Head::of(&sent.bytes);
                let reply_to = head.get("Reply-To").unwrap_or_default();
                let id = head.get("Message-ID").unwrap_or_default();
                (reply_to, mail.reply_to(&id).subject(&format!("Re: {}", talk.subject)))
            }
            None => (alias, mail),
        };
        self.posted += 1;
        let id = message_id(talk.subject, self.posted, &address);
        let raw = mail.to(&to).date(self.clock.as_secs()).message_id(&id).raw()?;
        self.arrive(talk.subject, &address, crate::report::address_of(&to), &raw)
    }

    /// Through the front door, and until it is to be seen: on the record, or as a new one.
    fn arrive(&mut self, subject: &str, from: &str, to: &str, raw: &[u8]) -> Result<()> {
        let known = self.case(subject).map(|it| it.record.clone());
        let before = match &known {
            Some(record) => self.incoming(record)?,
            None => 0,
        };
        let came = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + self.clock).replace("GMT", "+0000");
        let raw = [format!("X-Test-Received: {came}\r\n").as_bytes(), raw].concat();
        client::send(self.stack.front_door()?, from, &[to], &raw)?;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(record) = &known {
                if self.incoming(record)? > before {
                    return Ok(());
                }
            } else if let Some(record) = self.newest()? {
                self.open(subject, record, from);
                return Ok(());
            } else if self.is_held(subject)? {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(15));
        }
        bail!("the mail was taken and does not show\n{}", self.stack.log_tail(20))
    }

    fn answer(&mut self, subject: &str, agent: usize, words: &str, cc: &[&str], file: Option<&str>) -> Result<()> {
        self.posted += 1;
        let record = self.record(subject)?.to_owned();
        let colleague = self.agent(agent)?;
        let mut attachments = Vec::new();
        if let Some(name) = file {
            let query = name.replace(' ', "%20");
            let path = format!("/api/v1/attachments?name={query}&content_type=application%2Fpdf");
            let uploaded = colleague.api.upload(&path, "application/pdf", &pdf(name))?.ok()?;
            attachments.push(text(&uploaded, "id"));
        }
        let message = json!({
            "mode": "message", "text": words, "cc": cc, "attachments": attachments, "key": format!("demo-{}", self.posted),
        });
        let posted = colleague.api.post(&format!("/api/v1/records/{record}/messages"), &message)?.ok()?;
        let take = json!({ "responsible": colleague.user, "read": true });
        colleague.api.patch(&format!("/api/v1/records/{record}"), &take)?.ok()?;
        let incoming = self.incoming(&record)?;
        let case = self.cases.get_mut(subject).context("a case")?;
        words.clone_into(&mut case.ours);
        case.message = text(&posted, "id");
        let (message, address) = (case.message.clone(), case.address.clone());
        // The undo window closes, the queue sends.
        self.set_clock(self.clock + Duration::from_secs(11))?;
        self.admin()?.post("/api/dev/tick", &json!({}))?;
        self.await_echo(&record, incoming, &message, &address)
    }

    /// The sink answers some addresses a moment later; the clock must not run ahead of that.
    fn await_echo(&mut self, record: &str, incoming: usize, message: &str, address: &str) -> Result<()> {
        let state = match address.split(['.', '@']).next() {
            Some("later") => "bounced",
            Some("complain") => "complained",
            Some("ooo") => "",
            _ => return Ok(()),
        };
        self.set_clock(self.clock + Duration::from_mins(2))?;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let is_there = if state.is_empty() {
                self.incoming(record)? > incoming
            } else {
                let dialog = self.admin()?.get(&format!("/api/v1/messages/{message}/deliveries"))?.ok()?;
                items(&dialog, "deliveries").any(|it| text(it, "state") == state)
            };
            if is_there {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(15));
        }
        bail!("the answer of {address} did not come")
    }

    fn note(&mut self, subject: &str, who: usize, words: &str, people: &[usize]) -> Result<()> {
        self.posted += 1;
        let mentions: Vec<&str> = people.iter().filter_map(|it| Some(self.team.get(*it)?.contact.as_str())).collect();
        let note = json!({
            "mode": "note", "text": words, "mentions": mentions, "key": format!("demo-{}", self.posted),
        });
        let path = format!("/api/v1/records/{}/messages", self.record(subject)?);
        self.agent(who)?.api.post(&path, &note)?.ok().map(drop)
    }

    fn correct(&mut self, talk: &Talk, address: &str) -> Result<()> {
        let message = self.case(talk.subject).map(|it| it.message.clone()).unwrap_or_default();
        let path = format!("/api/v1/messages/{message}/deliveries");
        let api = &self.agent(talk.agent)?.api;
        let dialog = api.get(&path)?.ok()?;
        let failing =
            items(&dialog, "deliveries").find(|it| text(it, "state") == "failed").context("nothing failed")?;
        let retry = json!({ "delivery": failing.get("id"), "address": address, "update_contact": true });
        api.post(&path, &json!({ "retry": [retry] }))?.ok()?;
        self.set_clock(self.clock + Duration::from_secs(2))?;
        self.admin()?.post("/api/dev/tick", &json!({}))?;
        if let Some(case) = self.cases.get_mut(talk.subject) {
            address.clone_into(&mut case.address);
        }
        Ok(())
    }

    /// The stage in which it rests, and nobody waits any more where it is done.
    fn finish(&mut self, subject: &str, agent: usize, stage: &str) -> Result<()> {
        if stage != "New" {
            self.change(subject, agent, &json!({ "stage": stage }))?;
        }
        if matches!(stage, "Solved" | "Won" | "Delivered") {
            self.change(subject, agent, &json!({ "waiting": false }))?;
        }
        Ok(())
    }

    fn change(&self, subject: &str, agent: usize, change: &Value) -> Result<()> {
        let path = format!("/api/v1/records/{}", self.record(subject)?);
        self.agent(agent)?.api.patch(&path, change)?.ok().map(drop)
    }

    fn refused(&self, index: usize) -> Result<()> {
        let (_, from, to, subject) = *REFUSED.get(index).context("a refusal")?;
        let to = format!("{to}@{}", self.domain);
        let raw =
            Mail::new(from, &to, subject, "…").date(self.clock.as_secs()).message_id(&message_id(subject, 0, from));
        match client::send(self.stack.front_door()?, from, &[&to], &raw.raw()?) {
            Ok(()) => bail!("{to} took a mail that should be refused"),
            Err(_) => Ok(()),
        }
    }

    /// The administrator has read what is older than a day.
    fn mark_read(&self) -> Result<()> {
        let all = self.admin()?.get("/api/v1/records?limit=200")?.ok()?;
        let day = u64::try_from(self.now.saturating_sub(24 * HOUR).as_millis())?;
        for record in items(&all, "items") {
            if record.get("last_at").and_then(Value::as_u64).is_some_and(|it| it < day) {
                self.admin()?
                    .patch(&format!("/api/v1/records/{}", text(record, "id")), &json!({ "read": true }))?
                    .ok()?;
            }
        }
        Ok(())
    }

    fn incoming(&self, record: &str) -> Result<usize> {
        let all = self.admin()?.get(&format!("/api/v1/records/{record}/messages?limit=100"))?.ok()?;
        Ok(items(&all, "items").filter(|it| it.get("incoming") == Some(&Value::Bool(true))).count())
    }

    /// The record with the newest activity, when it is one we have not met.
    fn newest(&self) -> Result<Option<String>> {
        let all = self.admin()?.get("/api/v1/records?limit=1")?.ok()?;
        Ok(items(&all, "items").map(|it| text(it, "id")).find(|it| !self.seen.contains(it)))
    }

    /// What an alias holds makes no record until somebody lets it in.
    fn is_held(&self, subject: &str) -> Result<bool> {
        let all = self.admin()?.get("/api/v1/incoming?show=held")?.ok()?;
        Ok(items(&all, "items").any(|it| text(it, "subject") == subject))
    }

    fn open(&mut self, subject: &str, record: String, address: &str) {
        self.seen.insert(record.clone());
        let case = Case { record, address: address.to_owned(), ours: String::new(), message: String::new() };
        self.cases.insert(subject.to_owned(), case);
    }

    fn case(&self, subject: &str) -> Option<&Case> {
        self.cases.get(subject)
    }

    fn record(&self, subject: &str) -> Result<&str> {
        self.case(subject).map(|it| it.record.as_str()).with_context(|| format!("no record {subject}"))
    }

    fn agent(&self, index: usize) -> Result<&Colleague> {
        self.team.get(index).context("no such colleague")
    }

    fn admin(&self) -> Result<&Client> {
        Ok(&self.agent(0)?.api)
    }

    pub(super) fn set_clock(&mut self, at: Duration) -> Result<()> {
        let admin = self.team.first().context("no administrator")?;
        Self::move_clock(&admin.api, at, self.now)?;
        self.clock = at;
        Ok(())
    }

    fn set_clock_by(&mut self, api: &Client, at: Duration) -> Result<()> {
        Self::move_clock(api, at, self.now)?;
        self.clock = at;
        Ok(())
    }

    fn move_clock(api: &Client, at: Duration, now: Duration) -> Result<()> {
        let offset = i64::try_from(at.as_millis())? - i64::try_from(now.as_millis())?;
        api.post("/api/dev/switches", &json!({ "clock_offset": offset }))?.ok().map(drop)
    }
}

fn is_type(to: &str) -> bool {
    matches!(to, "order" | "lead" | "ticket")
}

pub(super) fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The same each time, so that playing twice makes nothing twice.
fn message_id(subject: &str, number: u32, address: &str) -> String {
    let words: String = subject.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{words}.{number}@{}", crate::report::domain_of(address))
}

/// What a mail program writes beside its HTML.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for c in html
        .replace("</p>", "\n\n")
        .replace("</td>", "\n\n")
        .replace("</li>", "\n")
        .replace("<br>", "\n")
        .replace("&amp;", "&")
        .chars()
    {
        match c {
            '<' => is_tag = true,
            '>' => is_tag = false,
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    text
}

/// One page with a title, as small as PDF allows.
fn pdf(title: &str) -> Vec<u8> {
    let page = format!("BT /F1 20 Tf 72 760 Td ({}) Tj ET", title.replace(['(', ')', '\\'], ""));
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>".to_owned(),
        format!("<</Length {}>>stream\n{page}\nendstream", page.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        // Writing to a String does not fail.
        let _ = writeln!(table, "{:010} 00000 n ", out.len());
        let _ = write!(out, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let start = out.len();
    out.push_str(&table);
    let _ = write!(out, "trailer<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    out.into_bytes()
}
