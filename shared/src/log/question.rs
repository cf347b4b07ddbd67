//! "What happened to the mail from Ann around 10:03 yesterday?": what is asked, in English and Vietnamese.
//!
//! Nothing typed is wrong: what is no address, time or known word is looked for as it stands.

use serde::Deserialize;
use serde::Serialize;

use super::Direction;
use crate::time::Span;
use crate::time::Timestamp;

/// *Around* a time means so much before and after it.
pub const AROUND: Span = Span::minutes(20);

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Question {
    /// An address, or `@domain`, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// With angle brackets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Number of a record: `S00042`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The time that was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// *From* somebody is mail that came in, *to* somebody is mail of ours, unless the address says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The rest, in lower case.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

impl Question {
    /// Nothing to look for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Day {
    Today,
    Yesterday,
    /// Days before today.
    Ago(i64),
    /// Year, month, day.
    Date(i64, i64, i64),
}

/// Phrases that only make the sentence, longest first; folded.
const PHRASES: [&str; 34] = [
    "what happened to the mail",
    "what happened to the email",
    "what happened to mail",
    "what happened with the mail",
    "what happened to",
    "what happened with",
    "what became of the mail",
    "what became of",
    "where is the mail",
    "where is the email",
    "where is mail",
    "where is",
    "did we get the mail",
    "did we get",
    "chuyen gi xay ra voi thu",
    "chuyen gi xay ra voi email",
    "chuyen gi da xay ra voi thu",
    "chuyen gi da xay ra voi email",
    "chuyen gi xay ra voi",
    "chuyen gi da xay ra voi",
    "dieu gi xay ra voi thu",
    "dieu gi xay ra voi email",
    "dieu gi da xay ra voi thu",
    "dieu gi da xay ra voi email",
    "thu o dau",
    "email o dau",
    "thu gui den",
    "thu gui tu",
    "thu den tu",
    "thu tu",
    "email tu",
    "thu cua",
    "email cua",
    "mail from",
];

/// Words that only make the sentence.
const FILLERS: [&str; 24] = [
    "the",
    "mail",
    "email",
    "emails",
    "mails",
    "message",
    "of",
    "at",
    "on",
    "in",
    "about",
    "around",
    "approximately",
    "ca",
    "thu",
    "luc",
    "vao",
    "ngay",
    "khoang",
    "tam",
    "gio",
    "cua",
    "voi",
    "vay",
];

/// Letters of Vietnamese without their marks, lower case: what people type on a foreign keyboard is the same.
fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
        .map(|c| match c {
            'à' | 'á' | 'ả' | 'ã' | 'ạ' | 'ă' | 'ằ' | 'ắ' | 'ẳ' | 'ẵ' | 'ặ' | 'â' | 'ầ' | 'ấ' | 'ẩ' | 'ẫ' | 'ậ' => {
                'a'
            }
            'è' | 'é' | 'ẻ' | 'ẽ' | 'ẹ' | 'ê' | 'ề' | 'ế' | 'ể' | 'ễ' | 'ệ' => 'e',
            'ì' | 'í' | 'ỉ' | 'ĩ' | 'ị' => 'i',
            'ò' | 'ó' | 'ỏ' | 'õ' | 'ọ' | 'ô' | 'ồ' | 'ố' | 'ổ' | 'ỗ' | 'ộ' | 'ơ' | 'ờ' | 'ớ' | 'ở' | 'ỡ' | 'ợ' => {
                'o'
            }
            'ù' | 'ú' | 'ủ' | 'ũ' | 'ụ' | 'ư' | 'ừ' | 'ứ' | 'ử' | 'ữ' | 'ự' => 'u',
            'ỳ' | 'ý' | 'ỷ' | 'ỹ' | 'ỵ' => 'y',
            'đ' => 'd',
            other => other,
        })
        .collect()
}

/// Reads what was typed. `offset` is the asker's time zone, in minutes east of UTC.
pub fn read(text: &str, now: Timestamp, offset: i64) -> Question {
    let mut question = Question::default();
    let original: Vec<&str> = text.split_whitespace().take(60).map(trim).filter(|it| !it.is_empty()).collect();
    let words: Vec<String> = original.iter().map(|it| fold(it)).collect();
    let mut is_used = vec![false; words.len()];
    for phrase in PHRASES {
        let parts: Vec<&str> = phrase.split(' ').collect();
        for start in 0..words.len() {
            let is_here = parts.iter().enumerate().all(|(i, part)| {
                words.get(start + i).is_some_and(|it| it == part) && is_used.get(start + i) == Some(&false)
            });
            if is_here {
                // `tu` and `den` say which way: they are read below.
                for (i, part) in parts.iter().enumerate() {
                    if let Some(it) = is_used.get_mut(start + i)
                        && !matches!(*part, "from" | "tu" | "den")
                    {
                        *it = true;
                    }
                }
            }
        }
    }
    let (mut time, mut day) = (None, None);
    let mut index = 0;
    while index < words.len() {
        let word = words.get(index).map_or("", String::as_str);
        let next = words.get(index + 1).map_or("", String::as_str);
        let third = words.get(index + 2).map_or("", String::as_str);
        let taken = if is_used.get(index) == Some(&true) {
            1
        } else if let Some((minutes, n)) = clock(word, next, third).filter(|_| time.is_none()) {
            time = Some(minutes);
            n
        } else if let Some((found, n)) = day_of(word, next).filter(|_| day.is_none()) {
            day = Some(found);
            n
        } else if let Some(raw) = original.get(index).filter(|it| is_message_id(it)) {
            question.message_id = Some((*raw).to_owned());
            1
        } else if word.contains('@') && question.address.is_none() {
            question.address = Some(word.trim_matches(['<', '>']).to_owned());
            1
        } else if question.record.is_none() && is_record_number(word) {
            question.record = Some(word.to_ascii_uppercase());
            1
        } else if question.direction.is_none() && matches!(word, "from" | "tu") {
            question.direction = Some(Direction::In);
            1
        } else if question.direction.is_none() && matches!(word, "to" | "den" | "toi") && !next.is_empty() {
            question.direction = Some(Direction::Out);
            1
        } else {
            0
        };
        for i in index..index + taken {
            if let Some(it) = is_used.get_mut(i) {
                *it = true;
            }
        }
        index += taken.max(1);
    }
    let is_question = is_used.iter().any(|it| *it);
    let rest = original
        .iter()
        .zip(&words)
        .zip(&is_used)
        .filter(|((_, word), is_used)| !(**is_used || is_question && FILLERS.contains(&word.as_str())));
    question.words = rest.map(|((raw, _), _)| raw.to_lowercase()).collect::<Vec<_>>().join(" ");
    set_time(&mut question, time, day, now, offset);
    question
}

fn trim(word: &str) -> &str {
    word.trim_matches(['?', '!', ',', ';', '"', '“', '”', '‘', '’', '(', ')']).trim_end_matches('.')
}

fn is_message_id(word: &str) -> bool {
    word.len() > 4 && word.starts_with('<') && word.ends_with('>') && word.contains('@')
}

/// A letter or two and four or more digits.
fn is_record_number(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let letters = word.len() - digits.len();
    (1..=4).contains(&letters) && digits.len() >= 4 && digits.bytes().all(|it| it.is_ascii_digit())
}

/// `10:03`, `10h03`, `10am`, `10 am`, `10h`, `10 gio`, `3 gio chieu`; minutes of the day, and how many words it took.
fn clock(word: &str, next: &str, third: &str) -> Option<(i64, usize)> {
    let (body, half) = match word {
        _ if word.ends_with("am") => (word.get(..word.len() - 2)?, Some(0)),
        _ if word.ends_with("pm") => (word.get(..word.len() - 2)?, Some(12)),
        _ => (word, None),
    };
    let half_of = |it: &str| match it {
        "am" | "sang" => Some(0),
        "pm" | "chieu" | "toi" => Some(12),
        _ => None,
    };
    let number = |it: &str| (!it.is_empty() && it.len() <= 2).then(|| it.parse::<i64>().ok()).flatten();
    let split = [':', 'h', 'g'].into_iter().find_map(|it| body.split_once(it));
    let (hour, minute, is_clear) = match split {
        // `10h` and `10g` are whole hours; `10:` is nothing.
        Some((hour, "")) if !body.ends_with(':') => (number(hour)?, 0, true),
        Some((hour, minute)) => (number(hour)?, number(minute.get(..2.min(minute.len()))?)?, true),
        None => (number(body)?, 0, half.is_some()),
    };
    let (half, taken) = match (half, half_of(next)) {
        (Some(half), _) => (Some(half), 1),
        (None, Some(half)) => (Some(half), 2),
        (None, None) if next == "gio" && !is_clear => half_of(third).map_or((None, 2), |half| (Some(half), 3)),
        (None, None) => (None, 1),
    };
    if !is_clear && taken == 1 {
        return None;
    }
    let hour = match half {
        Some(half) if hour <= 12 => hour % 12 + half,
        _ => hour,
    };
    (hour < 24 && minute < 60).then_some((hour * 60 + minute, taken))
}

/// `yesterday`, `hom qua`, `2026-11-24`, `24/11`, `24/11/2026`; and how many words it took.
fn day_of(word: &str, next: &str) -> Option<(Day, usize)> {
    match (word, next) {
        ("today", _) => return Some((Day::Today, 1)),
        ("yesterday", _) => return Some((Day::Yesterday, 1)),
        ("hom", "nay") => return Some((Day::Today, 2)),
        ("hom", "qua") => return Some((Day::Yesterday, 2)),
        ("hom", "kia") => return Some((Day::Ago(2), 2)),
        _ => {}
    }
    let numbers = |by: char| -> Option<Vec<i64>> { word.split(by).map(|it| it.parse().ok()).collect() };
    let is_day = |month: i64, day: i64| (1..=12).contains(&month) && (1..=31).contains(&day);
    match (numbers('-'), numbers('/')) {
        (Some(all), _) if all.len() == 3 => match all.as_slice() {
            [year @ 1970..=9999, month, day] if is_day(*month, *day) => Some((Day::Date(*year, *month, *day), 1)),
            _ => None,
        },
        (_, Some(all)) => match all.as_slice() {
            [day, month] if is_day(*month, *day) => Some((Day::Date(0, *month, *day), 1)),
            [day, month, year @ 1970..=9999] if is_day(*month, *day) => Some((Day::Date(*year, *month, *day), 1)),
            _ => None,
        },
        _ => None,
    }
}

fn set_time(question: &mut Question, time: Option<i64>, day: Option<Day>, now: Timestamp, offset: i64) {
    let zone = Span::minutes(offset);
    let here = (now + zone).civil();
    let midnight = Timestamp::from_civil(here.year, here.month, here.day, 0, 0, 0) - zone;
    let begin = match day {
        None | Some(Day::Today) => midnight,
        Some(Day::Yesterday) => midnight - Span::days(1),
        Some(Day::Ago(n)) => midnight - Span::days(n),
        Some(Day::Date(year, month, day)) => {
            let of = |year| Timestamp::from_civil(year, month, day, 0, 0, 0) - zone;
            // Without a year the last one that has been.
            match year {
                0 if of(here.year) > now => of(here.year - 1),
                0 => of(here.year),
                year => of(year),
            }
        }
    };
    match (time, day) {
        (Some(minutes), _) => {
            let mut at = begin + Span::minutes(minutes);
            // Nobody asks what happened in an hour.
            if day.is_none() && at > now + AROUND {
                at = at - Span::days(1);
            }
            question.at = Some(at);
            question.since = Some(at - AROUND);
            question.until = Some(at + AROUND);
        }
        (None, Some(_)) => {
            question.since = Some(begin);
            question.until = Some(begin + Span::days(1));
        }
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asked in Hanoi (UTC+7) at 15:00 on 24 November.
    #[track_caller]
    fn check(text: &str, expect: &str) {
        let now = Timestamp::parse_rfc3339("2026-11-24T15:00:00+07:00").unwrap();
        let it = read(text, now, 420);
        let mut parts = Vec::new();
        let time = |it: Timestamp| (it + Span::hours(7)).to_rfc3339().get(5..16).unwrap_or_default().replace('T', " ");
        parts.extend(it.address);
        parts.extend(it.message_id);
        parts.extend(it.record);
        parts.extend(it.direction.map(|it| it.as_str().to_owned()));
        parts.extend(it.at.map(time));
        if it.at.is_none() {
            parts.extend(it.since.map(|at| format!("since {}", time(at))));
        }
        if !it.words.is_empty() {
            parts.push(format!("[{}]", it.words));
        }
        assert_eq!(parts.join(" "), expect, "{text}");
    }

    #[test]
    fn questions_in_english() {
        check("what happened to the mail from ann@x.test around 10:03", "ann@x.test in 11-24 10:03");
        check("What happened to the mail from Ann@X.test at 10:03 yesterday?", "ann@x.test in 11-23 10:03");
        check("mail to ben@y.test today", "ben@y.test out since 11-24 00:00");
        check("where is the mail from ann at 6pm", "in 11-23 18:00 [ann]");
        check("ann@x.test 3 pm", "ann@x.test 11-24 15:00");
        check("mail from @x.test on 2026-11-20", "@x.test in since 11-20 00:00");
        check("S00042 yesterday", "S00042 since 11-23 00:00");
        check("<abc@x.test>", "<abc@x.test>");
        check("24/12 invoice", "since 12-24 00:00 [invoice]");
    }

    #[test]
    fn questions_in_vietnamese() {
        check("chuyện gì xảy ra với thư từ ann@x.test lúc 10:03 hôm qua?", "ann@x.test in 11-23 10:03");
        check("thư từ ann@x.test khoảng 10h03", "ann@x.test in 11-24 10:03");
        check("điều gì đã xảy ra với email đến ben@y.test hôm nay", "ben@y.test out since 11-24 00:00");
        check("thu tu ann@x.test luc 3 gio chieu hom qua", "ann@x.test in 11-23 15:00");
        check("thư từ ann@x.test 3 chiều", "ann@x.test in 11-24 15:00");
        check("đơn hàng S00042", "S00042 [đơn hàng]");
    }

    #[test]
    fn plain_words_stay_words() {
        check("printer at the mill", "[printer at the mill]");
        check("how to", "[how to]");
        check("route 66", "[route 66]");
        check("", "");
        check("10:99 ::: 24/13/2026", "[10:99 ::: 24/13/2026]");
    }
}
