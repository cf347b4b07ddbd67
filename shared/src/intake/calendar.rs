//! Invitations (RFC 5545, RFC 5546), as far as people want to see them in a chatter: what, when, where, who asks. Own
//! reading: a calendar library brings time zone tables that are larger than the page, and none of it is needed to show
//! the time as the inviter wrote it.

use crate::api::messages::CalendarEvent;
use crate::mail::inbound::Attachment;

/// Events of one mail that are read; a whole exported calendar is a file, not an invitation.
const MAX_EVENTS: usize = 5;
const MAX_BYTES: usize = 512 * 1024;

/// The events of the calendar parts of a mail. Never fails: what can't be read is left out.
pub fn events(attachments: &[Attachment]) -> Vec<CalendarEvent> {
    let mut out: Vec<CalendarEvent> = Vec::new();
    for it in attachments {
        let is_calendar = it.content_type == "text/calendar"
            || it.content_type == "application/ics"
            || it.name.to_ascii_lowercase().ends_with(".ics");
        if is_calendar && it.bytes.len() <= MAX_BYTES {
            for event in read(&String::from_utf8_lossy(&it.bytes)) {
                // The same invitation comes as a body part and as a file.
                if out.len() < MAX_EVENTS && !out.contains(&event) {
                    out.push(event);
                }
            }
        }
    }
    out
}

/// Events of a calendar object.
pub fn read(text: &str) -> Vec<CalendarEvent> {
    let mut out = Vec::new();
    let mut method = String::new();
    let mut current: Option<CalendarEvent> = None;
    // Inside an alarm or a time zone the same names mean other things.
    let mut inner = 0_u32;
    for line in unfold(text) {
        let Some((name, params, value)) = split(&line) else { continue };
        match (name.as_str(), value.to_ascii_uppercase().as_str()) {
            ("BEGIN", "VEVENT") => current = Some(CalendarEvent { method: method.clone(), ..CalendarEvent::default() }),
            ("END", "VEVENT") => out.extend(current.take().filter(|it| !it.start.is_empty())),
            ("BEGIN" | "END", "VCALENDAR") => {}
            ("BEGIN", _) => inner += 1,
            ("END", _) => inner = inner.saturating_sub(1),
            ("METHOD", word) if current.is_none() => word.to_ascii_lowercase().clone_into(&mut method),
            _ => {
                if let Some(event) = current.as_mut().filter(|_| inner == 0) {
                    property(event, &name, &params, &value);
                }
            }
        }
        if out.len() >= MAX_EVENTS {
            break;
        }
    }
    out
}

fn property(event: &mut CalendarEvent, name: &str, params: &[(String, String)], value: &str) {
    let param = |wanted: &str| params.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    match name {
        "SUMMARY" => event.summary = unescape(value, 300),
        "LOCATION" => event.location = unescape(value, 300),
        "DTSTART" => {
            if let Some(at) = moment(value) {
                event.start = at;
                event.zone = param("TZID").unwrap_or_default();
            }
        }
        "DTEND" => event.end = moment(value).unwrap_or_default(),
        "ORGANIZER" => {
            let address = value.get(7..).filter(|_| value.to_ascii_lowercase().starts_with("mailto:"));
            event.organizer = param("CN").unwrap_or_else(|| address.unwrap_or(value).to_owned());
        }
        "RRULE" => event.repeats = true,
        "STATUS" if value.eq_ignore_ascii_case("CANCELLED") => "cancel".clone_into(&mut event.method),
        _ => {}
    }
}

/// Lines without their folds (RFC 5545 section 3.1).
fn unfold(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), out.last_mut()) {
            (Some(rest), Some(before)) => before.push_str(rest),
            _ => out.push(line.trim_end_matches('\r').to_owned()),
        }
    }
    out
}

type Line = (String, Vec<(String, String)>, String);

/// `NAME;PARAM="a;b":value`, quotes respected.
fn split(line: &str) -> Option<Line> {
    let mut in_quotes = false;
    let mut parts: Vec<String> = vec![String::new()];
    let mut chars = line.char_indices();
    let value = loop {
        let (i, c) = chars.next()?;
        match c {
            '"' => in_quotes = !in_quotes,
            ':' if !in_quotes => break line.get(i + 1..)?,
            ';' if !in_quotes => parts.push(String::new()),
            _ => parts.last_mut()?.push(c),
        }
    };
    let mut parts = parts.into_iter();
    let name = parts.next()?.to_ascii_uppercase();
    let params = parts.filter_map(|it| {
        let (name, value) = it.split_once('=')?;
        Some((name.to_ascii_uppercase(), value.to_owned()))
    });
    Some((name, params.collect(), value.trim().to_owned()))
}

/// `20261124T100000Z`, `20261124T100000`, `20261124` → ISO 8601 of the same meaning.
fn moment(value: &str) -> Option<String> {
    let (date, time) = value.split_once(['T', 't']).map_or((value, None), |(date, time)| (date, Some(time)));
    let digits = |text: &str, len: usize| text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(date, 8) {
        return None;
    }
    let day = format!("{}-{}-{}", date.get(..4)?, date.get(4..6)?, date.get(6..8)?);
    let Some(time) = time else { return Some(day) };
    let (clock, zulu) = match time.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, "Z"),
        None => (time, ""),
    };
    if !digits(clock, 6) {
        return None;
    }
    Some(format!("{day}T{}:{}{zulu}", clock.get(..2)?, clock.get(2..4)?))
}

fn unescape(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n' | 'N') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            (c, false) => out.push(c),
        }
    }
    out.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: CalendarEvent) {
        let text = format!("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n{}\r\nEND:VCALENDAR\r\n", lines.join("\r\n"));
        assert_eq!(read(&text), vec![expected]);
    }

    #[test]
    fn what_when_where_and_who() {
        check(
            &[
                "BEGIN:VTIMEZONE",
                "TZID:Europe/Berlin",
                "BEGIN:STANDARD",
                "DTSTART:19701025T030000",
                "END:STANDARD",
                "END:VTIMEZONE",
                "BEGIN:VEVENT",
                "SUMMARY:Chairs\\, tables and",
                "  more",
                "DTSTART;TZID=\"Europe/Berlin\":20261201T093000",
                "DTEND;TZID=Europe/Berlin:20261201T100000",
                "LOCATION:Room 4",
                "ORGANIZER;CN=\"Reid; Ann\":mailto:ann@customer.test",
                "BEGIN:VALARM",
                "SUMMARY:Not this one",
                "END:VALARM",
                "END:VEVENT",
            ],
            CalendarEvent {
                method: "request".to_owned(),
                summary: "Chairs, tables and more".to_owned(),
                start: "2026-12-01T09:30".to_owned(),
                end: "2026-12-01T10:00".to_owned(),
                zone: "Europe/Berlin".to_owned(),
                location: "Room 4".to_owned(),
                organizer: "Reid; Ann".to_owned(),
                repeats: false,
            },
        );
        check(
            &["BEGIN:VEVENT", "DTSTART;VALUE=DATE:20261224", "STATUS:CANCELLED", "RRULE:FREQ=YEARLY", "END:VEVENT"],
            CalendarEvent {
                method: "cancel".to_owned(),
                start: "2026-12-24".to_owned(),
                repeats: true,
                ..CalendarEvent::default()
            },
        );
    }

    #[test]
    fn nonsense_is_no_event() {
        for text in ["", "BEGIN:VEVENT", "BEGIN:VEVENT\nDTSTART:tomorrow\nEND:VEVENT", "::;;=\n ;\"", "DTSTART"] {
            assert_eq!(read(text), Vec::new(), "{text}");
        }
    }
}
