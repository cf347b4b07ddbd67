//! Two letters to many: one that left and was read, one that is being written.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use ureq::Agent;

use super::play::{PATIENCE, text};
use crate::client::Client;
use crate::stack::Stack;

const READERS: [(&str, &str); 24] = [
    ("Astrid Holm", "astrid.holm@birkelund.example"),
    ("Beatriz Nogueira", "beatriz@casa-nogueira.example"),
    ("Cormac Daly", "cormac.daly@dalyandsons.example"),
    ("Đặng Thu Hà", "thuha@quangan.example"),
    ("Elif Aydın", "elif@aydin-mimarlik.example"),
    ("Femke de Wit", "femke@dewit-interieur.example"),
    ("Giulia Ferrari", "giulia@studioferrari.example"),
    ("Hannah Adler", "hannah.adler@posteo.example"),
    ("Ingmar Sund", "ingmar@sundgarden.example"),
    ("Jana Nováková", "jana@novakova.example"),
    ("Kofi Mensah", "kofi@mensah-hotels.example"),
    ("Lotte Brandt", "lotte.brandt@posteo.example"),
    ("Marek Zieliński", "marek@zielinski.example"),
    ("Nguyễn Văn Minh", "minh@hoian-house.example"),
    ("Olivia Park", "olivia.park@parkinteriors.example"),
    ("Pierre Lambert", "pierre@lambert-freres.example"),
    ("Quentin Moss", "hard.quentin@sink.test"),
    ("Rosa Delgado", "rosa@delgado.example"),
    ("Sven Aalto", "sven.aalto@aalto-library.example"),
    ("Tomoko Mori", "tomoko@komorebi.example"),
    ("Uwe Krämer", "uwe.kraemer@kraemer-bau.example"),
    ("Vera Blom", "later.vera@sink.test"),
    ("Wanda Kowal", "wanda@kowal.example"),
    ("Yusuf Demir", "yusuf@demir-cafe.example"),
];

const BROWSER: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15";

/// Sets a field of an object.
pub(super) fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}

/// The draft of a letter to a list; the id of the campaign.
fn write(api: &Client, name: &str, subject: &str, list: &str, blocks: &Value) -> Result<String> {
    let made = api.post("/api/v1/campaigns", &json!({ "name": name }))?.ok()?;
    let id = text(made.get("row").unwrap_or(&Value::Null), "id");
    let mut settings = made.get("settings").cloned().unwrap_or_default();
    set(&mut settings, "subject", json!(subject));
    set(&mut settings, "audience", json!({ "lists": [list] }));
    set(&mut settings, "content", json!({ "blocks": blocks }));
    api.patch(&format!("/api/v1/campaigns/{id}"), &settings)?.ok()?;
    Ok(id)
}

/// Both lists, the draft, and the letter that is in the queue; its id.
pub(super) fn prepare(api: &Client, domain: &str) -> Result<String> {
    let list = |name: &str, people: &[(&str, &str)]| -> Result<String> {
        let made = api.post("/api/v1/mailing-lists", &json!({ "name": name, "public": true }))?.ok()?;
        let id = text(&made, "id");
        let csv: String =
            people.iter().map(|(name, address)| format!("{address},{name}\n")).collect::<Vec<_>>().concat();
        api.post(&format!("/api/v1/mailing-lists/{id}/import"), &json!({ "csv": csv }))?.ok()?;
        Ok(id)
    };
    let friends = list("Workshop letter", &READERS)?;
    let shops = list("Shops and architects", READERS.get(..9).unwrap_or_default())?;
    let letter = json!([
        { "kind": "heading", "text": "The workshop in winter" },
        { "kind": "text", "text": format!(
            "Hello {{{{contact.first_name | friend}}}},\n\non all four Advent weekends the workshop is **open**: bring a chair that wobbles and take it home mended. The [dates and the way](https://{domain}/winter) are on our page.",
        ) },
        { "kind": "button", "text": "Book a bench", "url": format!("https://{domain}/winter/book") },
        { "kind": "footer", "text": "Haldenmoss, makers of repairable furniture" },
    ]);
    let sent = write(api, "Winter workshop", "Four weekends in the workshop", &friends, &letter)?;
    let news = json!([
        { "kind": "heading", "text": "Spare parts, for thirty years" },
        { "kind": "text", "text": "Hello {{contact.first_name | friend}},\n\nfrom January every part of the Alva chair can be ordered one by one." },
        { "kind": "button", "text": "Look at the parts", "url": format!("https://{domain}/parts") },
        { "kind": "footer", "text": "Haldenmoss, makers of repairable furniture" },
    ]);
    write(api, "Spare parts from January", "Every part, one by one", &shops, &news)?;
    api.post(&format!("/api/v1/campaigns/{sent}/acts"), &json!({ "act": "send" }))?.ok()?;
    Ok(sent)
}

/// Runs the queue until it has left.
pub(super) fn leave(api: &Client, id: &str) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        api.post("/api/dev/tick", &json!({}))?;
        let view = api.get(&format!("/api/v1/campaigns/{id}"))?.ok()?;
        if view.pointer("/row/state").and_then(Value::as_str) == Some("sent") {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("the campaign does not leave")
}

/// Somebody opens it, and every third follows the links.
pub(super) fn read(stack: &Stack, number: usize) -> Result<()> {
    let Some((_, address)) = READERS.get(number) else { return Ok(()) };
    let Some(mail) = stack.sink().messages_to(address).pop() else { return Ok(()) };
    let raw = mail.raw.replace("=\r\n", "").replace("=3D", "=");
    let agent: Agent = Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
    let kinds: &[&str] = if number.is_multiple_of(3) { &["/o/", "/c/"] } else { &["/o/"] };
    for kind in kinds {
        let Some((_, rest)) = raw.split_once(&format!("{}{kind}", stack.base_url())) else { continue };
        let end = rest.find(['"', '>', ' ', '\r', '<', ')']).unwrap_or(rest.len());
        let path = rest.get(..end).context("a link")?;
        agent.get(format!("{}{kind}{path}", stack.base_url())).header("user-agent", BROWSER).call()?;
    }
    Ok(())
}

/// How many read it.
pub(super) const OPENED: usize = 15;
