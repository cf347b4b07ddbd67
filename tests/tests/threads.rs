//! Where an answer belongs, through real SMTP and the running Worker: each proof alone, clients and providers that change
//! what they should not, forwards, and mails that come in another order than they were written.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::time::Duration;

use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::stack::Stack;
use mailroom_tests::story::*;
use serde_json::json;

const ANN: &str = "ok.ann@sink.test";

#[track_caller]
fn send(stack: &Stack, from: &str, to: &str, mail: &Mail) {
    let sent = swaks(stack.front_door().unwrap(), from, to, &mail.raw().unwrap(), &[]).unwrap();
    assert!(sent.accepted, "{}", sent.transcript);
}

#[test]
fn each_proof_alone_brings_an_answer_home() {
    let (stack, api) = start("proofs");
    let first = Mail::new("Ann <ok.ann@sink.test>", "support@corp.example", "Hatch", "It leaks");
    send(&stack, ANN, "support@corp.example", &first.message_id("first@sink.test"));
    let record = id(&record_titled(&api, &stack, "Hatch"));
    post(&api, &record, json!({ "text": "Which one?" }));
    send_now(&stack, &api, Duration::from_secs(11));
    let ours = stack.sink().wait_for(ANN, 1, SOON).unwrap().remove(0).raw;
    let token = header(&ours, "Reply-To").split(['<', '>']).nth(1).unwrap().to_owned();
    let our_id = header(&ours, "Message-ID");
    let our_header = header(&ours, "X-Mailroom-Message");
    assert!(token.starts_with("reply+") && !our_header.is_empty(), "{ours}");

    let catchall = "catchall@corp.example";
    let answer = |to: &str, subject: &str, text: &str| Mail::new("Ann <ok.ann@sink.test>", to, subject, text);
    let answers = [
        // The signed address: no References, another subject, another mailbox of hers.
        (
            "ok.ann.private@sink.test",
            token.as_str(),
            Mail::new("ok.ann.private@sink.test", &token, "Holiday?", "By token"),
        ),
        // References: to the catchall, the client dropped the plus address.
        (ANN, catchall, answer(catchall, "Changed", "By reference").reply_to(&our_id)),
        // Our own header, which some systems keep when they lose all else.
        (ANN, catchall, answer(catchall, "Ticket 4711", "By header").header("X-Mailroom-Message", &our_header)),
        // A provider gave our mail an id of its own: the ancestor it refers to is what is left.
        (
            ANN,
            catchall,
            answer(catchall, "Re: Hatch", "By ancestor")
                .header("In-Reply-To", "<rewritten@relay.test>")
                .header("References", "<first@sink.test> <rewritten@relay.test>"),
        ),
        // To an alias of the same type it is an answer all the same.
        (ANN, "support@corp.example", answer("support@corp.example", "Re: Hatch", "By the alias").reply_to(&our_id)),
    ];
    for (from, to, mail) in &answers {
        send(&stack, from, to, mail);
    }
    let wanted = ["By token", "By reference", "By header", "By ancestor", "By the alias"];
    let here = within(SOON, "all answers", &stack, || {
        let all = messages(&api, &record);
        let came = |text: &&str| all.iter().any(|it| it["text"].as_str().unwrap().trim() == *text);
        wanted.iter().all(came).then_some(all)
    });
    assert!(here.iter().all(|it| it["held"].is_null()), "{here:#?}");
    assert_eq!((records(&api).len(), here.len()), (1, 2 + wanted.len()), "one record, each once");

    // A forward to another department with the talk quoted inline, our signed address in it and all references kept.
    let talk = format!(
        "Can you make an offer?\n\n---------- Forwarded message ---------\nFrom: Corp <{token}>\nDate: Tue, 24 Nov 2026\n\
         Subject: Re: Hatch\nTo: Ann <ok.ann@sink.test>\n\n> It leaks\n\nWhich one?\n"
    );
    let forward = answer("sales@corp.example", "Fwd: Hatch", &talk).reply_to(&our_id);
    send(&stack, ANN, "sales@corp.example", &forward);
    let lead = record_titled(&api, &stack, "Fwd: Hatch");
    assert_eq!(lead["type"], "lead");
    let forwarded = messages(&api, &id(&lead)).remove(0);
    assert!(forwarded["text"].as_str().unwrap().starts_with("Can you make an offer?"), "{forwarded}");
    assert!(forwarded.to_string().contains("Which one?"), "what was forwarded is there: {forwarded}");
    assert_eq!(messages(&api, &record).len(), here.len(), "the ticket was not touched");

    // Without any proof: a record of its own, and a person sees where it may belong.
    send(&stack, ANN, "support@corp.example", &answer("support@corp.example", "Re: Hatch", "No proof"));
    let loose = record_titled(&api, &stack, "Re: Hatch");
    assert_eq!(messages(&api, &id(&loose))[0]["suggestion"]["record"], record.as_str());
}

#[test]
fn an_answer_that_overtakes_its_mail_shares_the_record_and_that_of_a_stranger_is_only_offered() {
    let (stack, api) = start("overtaken");
    let mail = |from: &str, subject: &str, text: &str| Mail::new(from, "support@corp.example", subject, text);
    send(&stack, ANN, "support@corp.example", &mail(ANN, "Re: Pump", "And it smells").reply_to("pump@sink.test"));
    let record = id(&record_titled(&api, &stack, "Re: Pump"));
    send(&stack, ANN, "support@corp.example", &mail(ANN, "Pump", "It hums").message_id("pump@sink.test"));
    within(SOON, "both on one record", &stack, || (messages(&api, &record).len() == 2).then_some(()));
    assert_eq!(records(&api).len(), 1);

    let eve = "ok.eve@sink.test";
    send(&stack, eve, "support@corp.example", &mail(eve, "Re: Valve", "Me too").reply_to("valve@sink.test"));
    let eves = id(&record_titled(&api, &stack, "Re: Valve"));
    send(&stack, ANN, "support@corp.example", &mail(ANN, "Valve", "It sticks").message_id("valve@sink.test"));
    let anns = id(&record_titled(&api, &stack, "Valve"));
    let message = messages(&api, &anns).remove(0);
    assert_eq!(message["suggestion"]["record"], eves.as_str(), "{message}");
    let path = format!("/api/v1/messages/{}/move", id(&message));
    api.post(&path, &json!({ "record": eves })).unwrap().ok().unwrap();
    assert_eq!(messages(&api, &eves).len(), 2);
}
