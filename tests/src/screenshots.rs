//! Pictures of the main pages with the demonstration company in them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::browser::{Browser, Picture};
use crate::client::Client;
use crate::stack::{Stack, StackOptions};
use crate::{demo, paths};

const DOMAIN: &str = "haldenmoss.example";
const LOGIN: &str = "admin@haldenmoss.example";
const PASSWORD: &str = "mailroom-dev";

/// What is opened, by the part of the title of a record or by address, and what is done there before the picture.
struct Shot {
    name: &'static str,
    at: At,
    act: Act,
    views: &'static [View],
    /// In the README: with this view.
    readme: Option<View>,
}

#[derive(Clone, Copy)]
enum At {
    Path(&'static str),
    Record(&'static str),
}

#[derive(Clone, Copy)]
enum Act {
    None,
    /// Opens the red envelope.
    Envelope,
    /// Writes an answer without sending it.
    Write(&'static str),
    /// Waits for an HTML body and shows it.
    Frame,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Light,
    Dark,
    Phone,
    PhoneDark,
}

use View::{Dark, Light, Phone, PhoneDark};

const SHOTS: &[Shot] = &[
    Shot {
        name: "inbox",
        at: At::Path("/inbox"),
        act: Act::None,
        views: &[Light, Dark, Phone, PhoneDark],
        readme: Some(Light),
    },
    Shot {
        name: "record",
        at: At::Record("Chair leg broke after two weeks"),
        act: Act::Frame,
        views: &[Light, Dark, Phone, PhoneDark],
        readme: Some(Dark),
    },
    Shot {
        name: "composer",
        at: At::Record("Forty oak chairs for our reading room"),
        act: Act::Write("Dear Mr Echeverría,\n\nthe contract is on its way to Ms Ibarra."),
        views: &[Light, Phone],
        readme: None,
    },
    Shot {
        name: "delivery",
        at: At::Record("Lobby furniture for Tromsø"),
        act: Act::Envelope,
        views: &[Light, Dark, Phone],
        readme: Some(Light),
    },
    Shot {
        name: "html",
        at: At::Record("Re: Foam density for the Lido sofa"),
        act: Act::Frame,
        views: &[Light, Dark],
        readme: None,
    },
    Shot {
        name: "japanese",
        at: At::Record("読書椅子のお見積り（十二脚）"),
        act: Act::None,
        views: &[Light, Phone],
        readme: None,
    },
    Shot { name: "orders", at: At::Path("/records/order"), act: Act::None, views: &[Light, Dark, Phone], readme: None },
    Shot { name: "tickets", at: At::Path("/records/ticket"), act: Act::None, views: &[Light], readme: None },
    Shot {
        name: "emails",
        at: At::Path("/emails"),
        act: Act::None,
        views: &[Light, Dark, Phone, PhoneDark],
        readme: Some(Light),
    },
    Shot {
        name: "emails-all",
        at: At::Path("/emails?filter=all"),
        act: Act::None,
        views: &[Light, Phone],
        readme: None,
    },
    Shot {
        name: "aliases",
        at: At::Path("/settings/aliases"),
        act: Act::None,
        views: &[Light, Dark, Phone],
        readme: None,
    },
    Shot { name: "contacts", at: At::Path("/contacts"), act: Act::None, views: &[Light, Phone], readme: None },
    Shot { name: "login", at: At::Path("/login"), act: Act::None, views: &[Light, Phone], readme: None },
];

/// The other pages, each in every view and in Vietnamese.
const PAGES: &[(&str, &str)] = &[
    ("failures", "/failures"),
    ("deliverability", "/deliverability"),
    ("incoming", "/technical/incoming?show=all"),
    ("incoming-held", "/technical/incoming?show=held"),
    ("incoming-refused", "/technical/incoming?show=refused"),
    ("incoming-paused", "/technical/incoming?show=paused"),
    ("incoming-rules", "/technical/incoming?show=rules"),
    ("suppressions", "/settings/suppressions"),
    ("servers", "/settings/servers"),
    ("limits", "/settings/limits"),
    ("actions", "/technical/actions"),
    ("alias-new", "/settings/aliases/new"),
    ("search", "/search?q=chair"),
    ("search-mails", "/search?q=mail%20from%20nina@petrova.example"),
    ("campaigns", "/campaigns"),
    ("lists", "/campaigns/lists"),
    ("people", "/settings/users"),
    ("tokens", "/settings/tokens"),
    ("profile", "/profile"),
    ("profile-security", "/profile?tab=security"),
    ("logs", "/technical/logs"),
    ("status", "/technical/status"),
    ("doctor", "/technical/doctor"),
    ("support", "/technical/support"),
];

/// Starts a stack of its own, fills it and writes the pictures to `folder`; with `readme` only the few that README.md shows,
/// small, to where it expects them.
pub fn take(folder: Option<PathBuf>, readme: bool) -> Result<()> {
    let folder = folder.unwrap_or_else(|| {
        if readme { paths::root().join("tests/screenshots") } else { paths::root().join(".mailroom/screenshots") }
    });
    fs::create_dir_all(&folder)?;
    let stack = Stack::start(StackOptions::test("screenshots"))?;
    let form = json!({
        "company": "Haldenmoss", "name": "Mai Lindqvist", "email": LOGIN, "password": PASSWORD, "domain": DOMAIN,
        "language": "en", "smtp": { "host": "127.0.0.1", "port": stack.sink().address().port() },
    });
    stack.set_up(&form)?;
    demo::fill(&stack, DOMAIN, LOGIN, PASSWORD)?;
    let api = stack.client();
    api.login(LOGIN, PASSWORD)?;
    let browser = Browser::start(&stack.base_url(), 1440, 900)?;
    browser.open("/login")?;
    let mut size = 0;
    for shot in SHOTS {
        if shot.name == "login" {
            browser.forget_session()?;
        } else {
            browser.take_session(&api)?;
        }
        let path = match shot.at {
            At::Path(path) => path.to_owned(),
            At::Record(title) => format!("/record/{}", record(&api, title)?),
        };
        let views = if readme { shot.readme.as_slice() } else { shot.views };
        for view in views {
            let name = format!("{}{}", shot.name, view.suffix());
            size +=
                one(&browser, shot, &path, *view, readme, &folder.join(name)).with_context(|| shot.name.to_owned())?;
        }
    }
    if !readme {
        browser.take_session(&api)?;
        let single = single_pages(&api)?;
        let pages: Vec<(&str, &str)> =
            PAGES.iter().copied().chain(single.iter().map(|(name, path)| (*name, path.as_str()))).collect();
        for (name, path) in &pages {
            let shot = Shot { name: "", at: At::Path("/"), act: Act::None, views: &[], readme: None };
            for view in [Light, Dark, Phone, PhoneDark] {
                let file = folder.join(format!("{name}{}", view.suffix()));
                size += one(&browser, &shot, path, view, false, &file).with_context(|| (*name).to_owned())?;
            }
        }
        api.patch("/api/v1/session", &json!({ "language": "vi" }))?.ok()?;
        for (name, path) in
            pages.iter().chain(&[("inbox", "/inbox"), ("emails", "/emails"), ("aliases", "/settings/aliases")])
        {
            let shot = Shot { name: "", at: At::Path("/"), act: Act::None, views: &[], readme: None };
            for view in [Light, PhoneDark] {
                let file = folder.join(format!("{name}-vi{}", view.suffix()));
                size += one(&browser, &shot, path, view, false, &file).with_context(|| (*name).to_owned())?;
            }
        }
    }
    println!("{} KB in {}", size / 1024, folder.display());
    Ok(())
}

/// Pages about one thing, by what the demonstration has of it.
fn single_pages(api: &Client) -> Result<Vec<(&'static str, String)>> {
    let mut pages = Vec::new();
    for (name, ask, pointer, page) in [
        ("contact", "/api/v1/contacts?limit=1&q=ingrid", "/items/0/id", "/contacts"),
        ("trace", "/api/v1/incoming?show=all&limit=1", "/items/0/id", "/trace"),
        ("trace-out", "/api/v1/emails?filter=failed&limit=1", "/items/0/message", "/trace"),
    ] {
        let found = api.get(ask)?.ok()?;
        let id = found.pointer(pointer).and_then(Value::as_str);
        let id = id.with_context(|| format!("the demonstration has nothing at {pointer} of {ask}: {found}"))?;
        pages.push((name, format!("{page}/{id}")));
    }
    let campaigns = api.get("/api/v1/campaigns")?.ok()?;
    for (name, state) in [("campaign-draft", "draft"), ("campaign-sent", "sent")] {
        let found = campaigns.as_array().into_iter().flatten();
        let id = found
            .filter(|it| it.get("state").and_then(Value::as_str) == Some(state))
            .find_map(|it| it.get("id")?.as_str());
        pages.push((name, format!("/campaigns/{}", id.context("the demonstration has two campaigns")?)));
    }
    Ok(pages)
}

fn one(browser: &Browser, shot: &Shot, path: &str, view: View, readme: bool, file: &Path) -> Result<u64> {
    let (width, height, dark) = match view {
        Light => (1440, 900, false),
        Dark => (1440, 900, true),
        Phone => (390, 844, false),
        PhoneDark => (390, 844, true),
    };
    browser.set_size(width, height)?;
    browser.set_dark(dark)?;
    browser.open(path)?;
    browser.find("main h1, form h1")?;
    browser.wait_gone("main .sk, main [aria-busy=true], .is-measuring")?;
    match shot.act {
        Act::None => {}
        Act::Envelope => {
            // Half under the top bar it would take no click.
            browser.find(".msg .env--fail")?;
            browser.run("document.querySelector('.msg .env--fail').scrollIntoView({ block: 'center' })", &[])?;
            browser.click(".msg .env--fail")?;
            browser.find(".dialog")?;
            browser.wait_gone(".dialog .sk, .dialog [aria-busy=true]")?;
        }
        Act::Write(text) => browser.fill(".composer-text", text)?,
        Act::Frame => {
            browser.find(".msg-frame:not(.is-measuring)")?;
            browser.run("document.querySelector('.msg-frame').scrollIntoView({ block: 'center' })", &[])?;
        }
    }
    browser.run("return document.fonts.ready.then(() => true)", &[])?;
    let kind = if readme { Picture::Small } else { Picture::Png };
    let file = browser.picture(kind, file)?;
    Ok(fs::metadata(file)?.len())
}

fn record(api: &Client, title: &str) -> Result<String> {
    let all = api.get("/api/v1/records?limit=200")?.ok()?;
    let found = all
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|it| it.get("title").and_then(Value::as_str) == Some(title));
    let id = found.and_then(|it| it.get("id")).and_then(Value::as_str);
    id.map(str::to_owned).with_context(|| format!("the demonstration has no record {title}"))
}

impl View {
    fn suffix(self) -> &'static str {
        match self {
            Light => "",
            Dark => "-dark",
            Phone => "-phone",
            PhoneDark => "-phone-dark",
        }
    }
}
