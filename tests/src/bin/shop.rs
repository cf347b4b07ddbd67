//! An example to copy: a shop sends a quotation and an invoice through Mailroom, knowing nothing but an address and a token.
//!
//! Each is a record of its own, with the PDF attached and mailed to the customer. Running it again changes nothing: a record
//! is looked for by its number first, and a message is posted once per key.
//!
//! ```sh
//! MAILROOM_TOKEN=mailroom_… cargo run -p mailroom-tests --bin shop -- http://127.0.0.1:8787 ok.ann@sink.test
//! ```
#![expect(clippy::print_stdout, reason = "a program for the command line")]

use std::fmt::Write;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;
use serde_json::Value;
use serde_json::json;

/// Mailroom, as a shop sees it.
struct Mailroom {
    base: String,
    token: String,
    agent: ureq::Agent,
}

impl Mailroom {
    fn call(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Value> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", kind);
        let mut answer = self.agent.run(request.body(body)?)?;
        let text = answer.body_mut().read_to_string()?;
        if !answer.status().is_success() {
            // RFC 9457: a stable `code`, and the fields that are wrong.
            bail!("{method} {path} answered {}: {text}", answer.status());
        }
        serde_json::from_str(&text).with_context(|| format!("{method} {path} answered {text}"))
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call("POST", path, "application/json", body.to_string().as_bytes())
    }

    /// The record with this number in its title, made when there is none.
    fn record(&self, document: &Document, customer: &str) -> Result<String> {
        let found = self.call("GET", &format!("/api/v1/records?type=order&q={}", document.number), "", b"")?;
        if let Some(known) = found.pointer("/items/0") {
            return id_of(known);
        }
        let record = json!({
            "type": "order",
            "title": format!("{} {}", document.kind, document.number),
            "email": customer,
            "customer_name": "Ann Reid",
            "fields": { "amount": document.amount },
        });
        id_of(&self.post("/api/v1/records", &record)?)
    }

    /// Sends a document with its PDF; a second time with the same number does nothing.
    fn send(&self, document: &Document, customer: &str) -> Result<Value> {
        let record = self.record(document, customer)?;
        let name = format!("{}-{}.pdf", document.kind.to_lowercase(), document.number);
        let upload = format!("/api/v1/attachments?name={name}&content_type=application/pdf");
        let file = self.call("POST", &upload, "application/pdf", &pdf(document)?)?;
        let message = json!({
            "mode": "message",
            "subject": format!("{} {}", document.kind, document.number),
            "text": document.text,
            "attachments": [id_of(&file)?],
            // Posting with a key that is known answers the message that was posted first.
            "key": format!("shop-{}", document.number),
        });
        self.post(&format!("/api/v1/records/{record}/messages"), &message)
    }
}

fn id_of(answer: &Value) -> Result<String> {
    Ok(answer.get("id").and_then(Value::as_str).context("an answer without an id")?.to_owned())
}

struct Document {
    kind: &'static str,
    number: &'static str,
    amount: &'static str,
    text: &'static str,
}

/// One page with one line, in the fewest objects that make a PDF.
fn pdf(document: &Document) -> Result<Vec<u8>> {
    let line = format!("{} {}: {}", document.kind, document.number, document.amount);
    let content = format!("BT /F1 24 Tf 72 720 Td ({line}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = "%PDF-1.4\n".to_owned();
    let mut places = String::new();
    for (i, object) in objects.iter().enumerate() {
        writeln!(places, "{:010} 00000 n ", out.len())?;
        writeln!(out, "{} 0 obj\n{object}\nendobj", i + 1)?;
    }
    let start = out.len();
    writeln!(out, "xref\n0 6\n0000000000 65535 f \n{places}trailer\n<< /Size 6 /Root 1 0 R >>")?;
    writeln!(out, "startxref\n{start}\n%%EOF")?;
    Ok(out.into_bytes())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let base = arguments.next().unwrap_or_else(|| "http://127.0.0.1:8787".to_owned());
    let customer = arguments.next().unwrap_or_else(|| "ok.ann@sink.test".to_owned());
    let token = std::env::var("MAILROOM_TOKEN").context("MAILROOM_TOKEN: make one under Settings, API tokens")?;
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mailroom = Mailroom { base: base.trim_end_matches('/').to_owned(), token, agent };
    let documents = [
        Document {
            kind: "Quotation",
            number: "Q1042",
            amount: "EUR 480.00",
            text: "Dear Ann,\n\nhere is our quotation for twelve chairs. It is good for 30 days.",
        },
        Document {
            kind: "Invoice",
            number: "I1042",
            amount: "EUR 480.00",
            text: "Dear Ann,\n\nthank you for your order. Please find the invoice attached.",
        },
    ];
    for document in &documents {
        let message = mailroom.send(document, &customer)?;
        println!("{} {}: message {}", document.kind, document.number, id_of(&message)?);
    }
    Ok(())
}
