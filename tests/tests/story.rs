//! The main job over the running Worker: real SMTP in, a record, an answer out, a red envelope, the retry; and what must
//! hold when something breaks on the way.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use mailroom_tests::front_door::Outcome;
use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::stack::Stack;
use mailroom_tests::story::*;
use serde_json::json;

#[test]
fn a_mail_becomes_a_record_is_answered_and_the_customer_writes_back() {
    let (stack, api) = start("answer");
    let door = stack.front_door().unwrap();
    let pdf: Vec<u8> = (0..60_000_u32).map(|i| (i * 7 % 251) as u8).collect();
    let mail = Mail::new("Ann Reid <ok.ann@sink.test>", "sales@corp.example", "24 chairs", "Dear all,\n\nhow much?")
        .message_id("first@sink.test")
        .attach("application/pdf", "plan ü.pdf", &pdf);
    let sent = swaks(door, "ok.ann@sink.test", "sales@corp.example", &mail.raw().unwrap(), &[]).unwrap();
    assert!(sent.accepted, "{}", sent.transcript);

    let record = within(Duration::from_secs(2), "the record", &stack, || {
        records(&api).into_iter().find(|it| it["title"] == "24 chairs")
    });
    assert_eq!(record["type"], "lead");
    assert_eq!(record["customer"], "Ann Reid");
    assert!(record["waiting_since"].is_number(), "somebody waits for an answer: {record}");
    let record = id(&record);
    let first = messages(&api, &record);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["text"].as_str().unwrap().trim(), "Dear all,\n\nhow much?");
    assert_eq!(first[0]["author_name"], "Ann Reid");
    assert_eq!(first[0]["authenticated"], true);
    let file = &first[0]["attachments"][0];
    assert_eq!(file["name"], "plan ü.pdf");
    let bytes = api.get(&format!("/api/v1/attachments/{}", file["id"].as_str().unwrap())).unwrap();
    assert_eq!(bytes.bytes, pdf, "the file comes out as it went in");

    // The answer.
    let preview = json!({ "mode": "message", "text": "x" });
    let people = api.post(&format!("/api/v1/records/{record}/recipients"), &preview).unwrap().ok().unwrap();
    assert_eq!(people["by_email"], 1, "{people}");
    let answer = post(&api, &record, json!({ "text": "Dear Ann,\n\n24 chairs cost € 4,000.\n\nMai", "key": "k1" }));
    let again = post(&api, &record, json!({ "text": "Dear Ann,\n\n24 chairs cost € 4,000.\n\nMai", "key": "k1" }));
    assert_eq!(answer["id"], again["id"], "posting twice posts once");
    assert_eq!(answer["envelope"]["state"], "leaving");
    assert!(received(&stack, "ok.ann@sink.test").is_empty(), "nothing leaves while it can be taken back");
    send_now(&stack, &api, Duration::from_secs(11));
    assert_eq!(state_of(&api, answer["id"].as_str().unwrap(), "ok.ann@sink.test"), "sent");

    let got = received(&stack, "ok.ann@sink.test");
    assert_eq!(got.len(), 1, "one mail, not two");
    let raw = got[0].raw.as_str();
    assert_eq!(header(raw, "From"), "\"Mai Lindqvist\" <mai@corp.example>");
    assert!(header(raw, "Reply-To").contains("<reply+"), "{raw}");
    assert!(header(raw, "References").contains("<first@sink.test>"), "{raw}");
    assert_eq!(header(raw, "In-Reply-To"), "<first@sink.test>");
    assert_eq!(header(raw, "Subject"), "Re: 24 chairs");
    assert!(raw.contains("text/plain") && raw.contains("text/html"), "{raw}");
    assert!(got[0].from.starts_with("bounce+"), "{}", got[0].from);
    assert!(records(&api)[0]["waiting_since"].is_null(), "nobody waits any more");

    // A client that drops References, to the token address only.
    let reply_to = header(raw, "Reply-To").split(['<', '>']).nth(1).unwrap().to_owned();
    let reply = Mail::new("Ann Reid <ok.ann@sink.test>", &reply_to, "Something else entirely", "Agreed!");
    let sent = swaks(door, "ok.ann@sink.test", &reply_to, &reply.raw().unwrap(), &[]).unwrap();
    assert!(sent.accepted, "{}", sent.transcript);
    within(SOON, "the reply", &stack, || {
        messages(&api, &record)
            .iter()
            .any(|it| it["text"].as_str().is_some_and(|it| it.trim() == "Agreed!"))
            .then_some(())
    });
    assert_eq!(records(&api).len(), 1, "no second record");
}

#[test]
fn an_unknown_address_is_refused_and_the_refusal_is_in_the_journal() {
    let (stack, api) = start("refused");
    let mail = Mail::new("ok.ann@sink.test", "nosuch@corp.example", "Anybody there?", "Hello").raw().unwrap();
    let sent = swaks(stack.front_door().unwrap(), "ok.ann@sink.test", "nosuch@corp.example", &mail, &[]).unwrap();
    assert!(!sent.accepted);
    assert!(sent.transcript.contains("550 5.1.1"), "{}", sent.transcript);
    assert!(sent.transcript.contains("nosuch@corp.example"), "{}", sent.transcript);
    assert!(records(&api).is_empty());
    let journal = get(&api, "/api/v1/incoming?show=refused");
    assert_eq!(journal["items"][0]["rcpt_to"], "nosuch@corp.example");
    assert_eq!(journal["items"][0]["reason"], "no_such_address");
    assert_eq!(journal["items"][0]["subject"], "Anybody there?");
}

#[test]
fn when_database_storage_or_queue_fail_the_peer_tries_again_and_one_record_exists() {
    let (stack, api) = start("faults");
    let door = stack.front_door().unwrap();
    for (round, (fault, accepted)) in [("db", false), ("blobs", false), ("jobs", true)].into_iter().enumerate() {
        let title = format!("During {fault}");
        let mail = Mail::new("ok.ann@sink.test", "support@corp.example", &title, "Hello").raw().unwrap();
        api.post("/api/dev/switches", &json!({ fault: true })).unwrap().ok().unwrap();
        let sent = swaks(door, "ok.ann@sink.test", "support@corp.example", &mail, &[]).unwrap();
        assert_eq!(sent.accepted, accepted, "{fault}: {}", sent.transcript);
        assert!(accepted || sent.transcript.contains("451 4.3.0"), "{}", sent.transcript);
        api.post("/api/dev/switches", &json!({ fault: false })).unwrap().ok().unwrap();
        // The peer tries again, as peers do; for the lost nudge the minute sweep comes.
        let sent = swaks(door, "ok.ann@sink.test", "support@corp.example", &mail, &[]).unwrap();
        assert!(sent.accepted, "{fault}: {}", sent.transcript);
        send_now(&stack, &api, Duration::from_secs(30 * (round as u64 + 1)));
        record_titled(&api, &stack, &title);
        assert_eq!(records(&api).iter().filter(|it| it["title"] == title.as_str()).count(), 1, "{fault}");
    }
}

#[test]
fn a_refused_recipient_turns_the_envelope_red_until_corrected_or_ignored() {
    let (stack, api) = start("red");
    let new = json!({ "type": "order", "title": "S1", "email": "hard.bea@sink.test", "customer_name": "Bea" });
    let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
    let message = id(&post(&api, &record, json!({ "text": "Your order" })));
    send_now(&stack, &api, Duration::from_secs(11));
    let dialog = deliveries(&api, &message);
    assert_eq!(dialog["envelope"]["state"], "failing");
    assert_eq!(dialog["envelope"]["failing"], 1);
    let failed = &dialog["deliveries"][0];
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["reason"], "userunknown");
    assert_eq!(failed["permanent"], true);
    assert_eq!(failed["reply_code"], 550);
    assert!(failed["server_text"].as_str().unwrap().contains("not known here"), "{failed}");
    assert_eq!(get(&api, "/api/v1/shell")["failures"], 1);

    // Corrected in the dialog, in the contact too.
    let settle =
        json!({ "retry": [{ "delivery": failed["id"], "address": "ok.bea@sink.test", "update_contact": true }] });
    let path = format!("/api/v1/messages/{message}/deliveries");
    let settled = api.post(&path, &settle).unwrap().ok().unwrap();
    assert_eq!(settled["deliveries"][0]["address"], "ok.bea@sink.test");
    within(SOON, "the white envelope", &stack, || {
        (deliveries(&api, &message)["envelope"]["state"] == "fine").then_some(())
    });
    assert_eq!(received(&stack, "ok.bea@sink.test").len(), 1, "exactly one mail for the new address");
    let contact = failed["contact"].as_str().unwrap();
    assert_eq!(get(&api, &format!("/api/v1/contacts/{contact}"))["emails"][0], "ok.bea@sink.test");

    // Ignore all.
    let message = id(&post(&api, &record, json!({ "text": "One more", "cc": ["spam.carl@sink.test"] })));
    send_now(&stack, &api, Duration::from_secs(30));
    assert_eq!(deliveries(&api, &message)["envelope"]["state"], "failing");
    let path = format!("/api/v1/messages/{message}/deliveries");
    let settled = api.post(&path, &json!({ "ignore_all": true })).unwrap().ok().unwrap();
    assert_eq!(settled["envelope"]["state"], "fine");
    assert_eq!(get(&api, "/api/v1/shell")["failures"], 0);
}

#[test]
fn deferred_mail_is_tried_again_by_itself_and_a_late_bounce_turns_it_red() {
    let (stack, api) = start("later");
    let new = json!({ "type": "order", "title": "S2", "email": "soft.dan@sink.test" });
    let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
    let message = id(&post(&api, &record, json!({ "text": "Hello", "cc": ["later.eve@sink.test"] })));
    send_now(&stack, &api, Duration::from_secs(11));
    assert_eq!(state_of(&api, &message, "soft.dan@sink.test"), "deferred");
    let dialog = deliveries(&api, &message);
    let waiting = dialog["deliveries"].as_array().unwrap().iter().find(|it| it["state"] == "deferred").unwrap();
    assert!(waiting["next_try"].is_number() && waiting["gives_up"].is_number(), "{waiting}");
    assert_eq!(waiting["reply_code"], 451);
    // The report of later@ comes back through the front door.
    within(SOON, "the bounce", &stack, || (state_of(&api, &message, "later.eve@sink.test") == "bounced").then_some(()));
    assert_eq!(deliveries(&api, &message)["envelope"]["state"], "failing");
    // Greylisting lets the third try in; the schedule makes it when its time has come.
    for minutes in [2, 10, 30] {
        send_now(&stack, &api, Duration::from_mins(minutes));
    }
    assert_eq!(state_of(&api, &message, "soft.dan@sink.test"), "sent");
    assert_eq!(received(&stack, "soft.dan@sink.test").len(), 1);
}

#[test]
fn undo_takes_a_message_back_and_too_late_says_so() {
    let (stack, api) = start("undo");
    let new = json!({ "type": "ticket", "title": "T1", "email": "ok.fay@sink.test" });
    let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
    let message = id(&post(&api, &record, json!({ "text": "Oops" })));
    let back = api.delete(&format!("/api/v1/messages/{message}")).unwrap().ok().unwrap();
    assert_eq!(back["text"], "Oops");
    assert!(messages(&api, &record).is_empty());
    let message = id(&post(&api, &record, json!({ "text": "Meant it" })));
    send_now(&stack, &api, Duration::from_secs(30));
    assert_eq!(received(&stack, "ok.fay@sink.test").len(), 1);
    let late = api.delete(&format!("/api/v1/messages/{message}")).unwrap();
    assert_eq!((late.status, late.json().unwrap()["code"].as_str().unwrap()), (409, "wrong_state"));
}

#[test]
fn the_same_mail_twice_is_one_message_and_kill_9_loses_nothing() {
    let (mut stack, api) = start("kill");
    let mail = Mail::new("ok.ann@sink.test", "support@corp.example", "Twice", "Hello").raw().unwrap();
    for _ in 0..2 {
        let sent = swaks(stack.front_door().unwrap(), "ok.ann@sink.test", "support@corp.example", &mail, &[]).unwrap();
        assert!(sent.accepted, "{}", sent.transcript);
    }
    record_titled(&api, &stack, "Twice");
    // 200 mails of as many people, the Worker dies in the middle, the peer repeats what got no 250.
    let total = 200;
    let mails: Vec<(String, Vec<u8>)> = (0..total)
        .map(|i| {
            let from = format!("ok.p{i}@sink.test");
            let raw = Mail::new(&from, "support@corp.example", &format!("Mail {i}"), "Hello").raw().unwrap();
            (from, raw)
        })
        .collect();
    let mut open: Vec<usize> = Vec::new();
    for (i, (from, raw)) in mails.iter().enumerate() {
        if i == total / 2 {
            stack.kill_hard().unwrap();
        }
        let answer = stack.poster().post(from, "support@corp.example", raw);
        if !matches!(answer, Outcome::Accepted) {
            open.push(i);
        }
        if i == total / 2 + 5 {
            stack.restart().unwrap();
        }
    }
    assert!(!open.is_empty(), "the Worker was dead for some of them");
    for i in open {
        let (from, raw) = &mails[i];
        let answer = stack.poster().post(from, "support@corp.example", raw);
        assert!(matches!(answer, Outcome::Accepted), "{answer:?}");
    }
    // Nudges died with the process; the sweep finds their rows.
    send_now(&stack, &api, Duration::from_mins(1));
    within(Duration::from_secs(30), "all records", &stack, || {
        let shell = get(&api, "/api/v1/shell");
        (shell["inbox"].as_u64() == Some(total as u64 + 1)).then_some(())
    });
    let mut titles: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = get(&api, &format!("/api/v1/records?limit=200{cursor}"));
        titles.extend(page["items"].as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    titles.sort();
    let before = titles.len();
    titles.dedup();
    assert_eq!((before, titles.len()), (total + 1, total + 1), "each once");
}

/// Hands one mail over to several recipients at the same moment, as Email Routing does.
fn at_once(stack: &Stack, from: &str, to: &[&str], raw: &[u8]) {
    let ready = Barrier::new(to.len());
    thread::scope(|scope| {
        for to in to {
            let (ready, poster) = (&ready, stack.poster());
            scope.spawn(move || {
                ready.wait();
                assert_eq!(poster.post(from, to, raw), Outcome::Accepted, "{to}");
            });
        }
    });
}

#[test]
fn a_reply_to_token_and_alias_at_once_is_kept_once_per_record_and_never_dropped() {
    let (stack, api) = start("at-once");
    let new = json!({ "type": "ticket", "title": "T1", "email": "ok.ann@sink.test" });
    let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
    post(&api, &record, json!({ "text": "Did it help?" }));
    send_now(&stack, &api, Duration::from_secs(11));
    let ours = stack.sink().wait_for("ok.ann@sink.test", 1, SOON).unwrap().remove(0).raw;
    let token = header(&ours, "Reply-To").split(['<', '>']).nth(1).unwrap().to_owned();
    let reference = header(&ours, "Message-ID");
    let to = [token.as_str(), "support@corp.example"];
    let rounds = 6;
    for round in 0..rounds {
        // With References both hand-overs belong to the record, which has the reply once. Without, the token says where one
        // belongs, and to the alias it is a mail like any other: a ticket of its own.
        let known = Mail::new("ok.ann@sink.test", "support@corp.example", "Re: T1", &format!("Known {round}"));
        at_once(&stack, "ok.ann@sink.test", &to, &known.reply_to(&reference).raw().unwrap());
        let unknown =
            Mail::new("ok.ann@sink.test", "support@corp.example", &format!("New {round}"), &format!("Unknown {round}"));
        at_once(&stack, "ok.ann@sink.test", &to, &unknown.raw().unwrap());
    }
    send_now(&stack, &api, Duration::from_mins(1));
    let expected = 2 * rounds;
    within(SOON, "all replies", &stack, || {
        let here = messages(&api, &record).iter().filter(|it| it["incoming"] == true).count();
        (here >= expected && records(&api).len() > rounds).then_some(())
    });
    let mut here: Vec<String> = messages(&api, &record)
        .iter()
        .filter(|it| it["incoming"] == true)
        .map(|it| it["text"].as_str().unwrap().trim().to_owned())
        .collect();
    here.sort();
    let mut wanted: Vec<String> = (0..rounds).flat_map(|it| [format!("Known {it}"), format!("Unknown {it}")]).collect();
    wanted.sort();
    assert_eq!(here, wanted);
    let mut others: Vec<String> =
        records(&api).iter().map(|it| it["title"].as_str().unwrap().to_owned()).filter(|it| it != "T1").collect();
    others.sort();
    assert_eq!(others, (0..rounds).map(|it| format!("New {it}")).collect::<Vec<_>>());
}

#[test]
fn mail_leaves_encrypted_when_the_server_is_set_up_so() {
    let (stack, api) = start_by(
        "starttls",
        |stack| json!({ "host": "localhost", "port": stack.sink().address().port(), "security": "starttls" }),
    );
    let new = json!({ "type": "ticket", "title": "T1", "email": "ok.gil@sink.test" });
    let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
    let message = id(&post(&api, &record, json!({ "text": "Hello" })));
    send_now(&stack, &api, Duration::from_secs(11));
    assert_eq!(state_of(&api, &message, "ok.gil@sink.test"), "sent", "{}", deliveries(&api, &message));
    assert!(received(&stack, "ok.gil@sink.test")[0].tls);
}
