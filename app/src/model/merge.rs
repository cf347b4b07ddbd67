//! Seek-paged lists that stay up to date: a fresh first page is laid over what was loaded before.

use mailroom_shared::api::campaigns::RecipientRow;
use mailroom_shared::api::contacts::ContactRow;
use mailroom_shared::api::emails::EmailRow;
use mailroom_shared::api::failures::FailureRow;
use mailroom_shared::api::incoming::IncomingRow;
use mailroom_shared::api::mailing_lists::MemberRow;
use mailroom_shared::api::notifications::NotificationRow;
use mailroom_shared::api::records::RecordRow;
use mailroom_shared::api::suppressions::SuppressionEvent;
use mailroom_shared::api::suppressions::SuppressionRow;
use mailroom_shared::log::line::LogLine;

/// A row of a list.
pub trait Row: Clone + PartialEq {
    fn id(&self) -> &str;
    /// What the list is sorted by, as text that sorts ascending in list order.
    fn order(&self) -> String;
}

/// Newest first as ascending text.
fn newest_first(millis: i64, id: &str) -> String {
    format!("{:020}{id}", i64::MAX - millis.max(0))
}

impl Row for RecordRow {
    fn id(&self) -> &str {
        self.id.as_str()
    }
    fn order(&self) -> String {
        newest_first(self.last_at.as_millis(), "")
    }
}

impl Row for EmailRow {
    fn id(&self) -> &str {
        self.delivery.as_str()
    }
    fn order(&self) -> String {
        newest_first(self.created.as_millis(), "")
    }
}

impl Row for NotificationRow {
    fn id(&self) -> &str {
        self.message.as_str()
    }
    fn order(&self) -> String {
        newest_first(self.at.as_millis(), "")
    }
}

impl Row for FailureRow {
    fn id(&self) -> &str {
        self.delivery.as_str()
    }
    fn order(&self) -> String {
        newest_first(self.at.as_millis(), "")
    }
}

impl Row for SuppressionRow {
    fn id(&self) -> &str {
        &self.id
    }
    fn order(&self) -> String {
        newest_first(self.created.as_millis(), &self.address)
    }
}

impl Row for SuppressionEvent {
    fn id(&self) -> &str {
        &self.id
    }
    fn order(&self) -> String {
        // Of one moment the later line first.
        let id: i64 = self.id.parse().unwrap_or_default();
        newest_first(self.at.as_millis(), &format!("{:020}", i64::MAX - id))
    }
}

impl Row for IncomingRow {
    fn id(&self) -> &str {
        &self.id
    }
    fn order(&self) -> String {
        newest_first(self.at.as_millis(), "")
    }
}

impl Row for RecipientRow {
    fn id(&self) -> &str {
        &self.address
    }
    fn order(&self) -> String {
        format!("{:012}", self.n)
    }
}

impl Row for MemberRow {
    fn id(&self) -> &str {
        &self.address
    }
    fn order(&self) -> String {
        self.address.to_lowercase()
    }
}

impl Row for LogLine {
    fn id(&self) -> &str {
        &self.id
    }
    fn order(&self) -> String {
        newest_first(self.at.as_millis(), "")
    }
}

impl Row for ContactRow {
    fn id(&self) -> &str {
        self.id.as_str()
    }
    fn order(&self) -> String {
        self.name.to_lowercase()
    }
}

/// A fresh first page over the rows there are. Rows that sort behind its last row are kept: they were loaded by
/// scrolling, or pushed out of the first page by newer ones. Rows the fresh page should have but hasn't are gone.
pub fn refresh<T: Row>(old: &[T], fresh: Vec<T>, is_last: bool) -> Vec<T> {
    let Some(end) = fresh.last().map(Row::order).filter(|_| !is_last) else { return fresh };
    let mut out = fresh;
    let n_fresh = out.len();
    for row in old {
        let is_fresh = out.get(..n_fresh).is_some_and(|rows| rows.iter().any(|it| it.id() == row.id()));
        if !is_fresh && row.order() >= end {
            out.push(row.clone());
        }
    }
    out
}

/// The next page behind the rows there are.
pub fn append<T: Row>(rows: &mut Vec<T>, page: Vec<T>) {
    for row in page {
        if rows.iter().all(|it| it.id() != row.id()) {
            rows.push(row);
        }
    }
}

/// Which rows of a long list are in view, with some above and below so that scrolling shows no gap.
pub fn window(total: usize, row_height: f64, above: f64, height: f64) -> (usize, usize) {
    const MORE: usize = 12;
    if total <= 60 || row_height < 1.0 {
        return (0, total);
    }
    let first = (above.max(0.0) / row_height) as usize;
    let n_rows = (height / row_height) as usize + 2;
    // In steps, so that a scroll of a few pixels changes nothing.
    let start = first.saturating_sub(MORE) / 6 * 6;
    (start.min(total), (first + n_rows + MORE).div_ceil(6).saturating_mul(6).min(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Line(&'static str, i64);

    impl Row for Line {
        fn id(&self) -> &str {
            self.0
        }
        fn order(&self) -> String {
            newest_first(self.1, self.0)
        }
    }

    fn check(old: &[Line], fresh: &[Line], is_last: bool, expected: &str) {
        let got: String = refresh(old, fresh.to_vec(), is_last).iter().map(|it| it.0).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn a_fresh_page_goes_over_the_old_rows() {
        let old = [Line("a", 9), Line("b", 8), Line("c", 7), Line("d", 6)];
        check(&old, &[Line("n", 10), Line("a", 9)], false, "nabcd");
        check(&old, &[Line("d", 11), Line("a", 9)], false, "dabc");
        // b was finished: the fresh page reaches beyond it and hasn't got it.
        check(&old, &[Line("a", 9), Line("c", 7)], false, "acd");
        check(&old, &[Line("a", 9)], true, "a");
        check(&old, &[], true, "");
    }

    #[test]
    fn a_page_that_comes_twice_is_added_once() {
        let mut rows = vec![Line("a", 2)];
        append(&mut rows, vec![Line("a", 2), Line("b", 1)]);
        append(&mut rows, vec![Line("b", 1)]);
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn the_window_covers_what_is_seen() {
        assert_eq!(window(20, 40.0, 0.0, 800.0), (0, 20));
        for above in [0.0, 411.0, 39_000.0, 400_000.0, 9_999_999.0] {
            let (start, end) = window(10_000, 40.0, above, 800.0);
            let first = (above / 40.0) as usize;
            assert!(start <= first.min(10_000) && end >= (first + 20).min(10_000), "{above}: {start}..{end}");
            assert!(end - start < 70);
        }
    }
}
