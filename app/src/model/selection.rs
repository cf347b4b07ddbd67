//! Selected rows and the keyboard cursor of a list.

/// Ids of selected rows, in the order of selection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection(Vec<String>);

impl Selection {
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|it| it == id)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn toggle(&mut self, id: &str) {
        match self.0.iter().position(|it| it == id) {
            Some(at) => drop(self.0.remove(at)),
            None => self.0.push(id.to_owned()),
        }
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All on, or all off when all were on.
    pub fn toggle_all<'a>(&mut self, ids: impl Iterator<Item = &'a str> + Clone) {
        if self.covers(ids.clone()) {
            self.0.clear();
        } else {
            for id in ids {
                if !self.has(id) {
                    self.0.push(id.to_owned());
                }
            }
        }
    }

    /// Every one of them is selected, and there is at least one.
    pub fn covers<'a>(&self, ids: impl Iterator<Item = &'a str>) -> bool {
        let mut any = false;
        for id in ids {
            any = true;
            if !self.has(id) {
                return false;
            }
        }
        any
    }

    /// What is no longer in the list is no longer selected.
    pub fn keep<'a>(&mut self, ids: impl Iterator<Item = &'a str>) {
        let there: Vec<&str> = ids.collect();
        self.0.retain(|it| there.contains(&it.as_str()));
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// The row the cursor goes to: by id, since rows move under it.
pub fn step(ids: &[String], now: Option<&str>, by: isize) -> Option<String> {
    let index = now.and_then(|id| ids.iter().position(|it| it == id));
    let next = match index {
        None if by < 0 => ids.len().checked_sub(1)?,
        None => 0,
        Some(index) => index.saturating_add_signed(by).min(ids.len().checked_sub(1)?),
    };
    ids.get(next).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_and_none() {
        let ids = ["a", "b"];
        let mut selection = Selection::default();
        assert!(!selection.covers([].into_iter()), "an empty list has no tick");
        selection.toggle("a");
        selection.toggle_all(ids.into_iter());
        assert_eq!(selection.len(), 2);
        selection.toggle_all(ids.into_iter());
        assert!(selection.is_empty());
        selection.toggle("a");
        selection.keep(["b"].into_iter());
        assert!(selection.is_empty());
    }

    #[test]
    fn the_cursor_stays_in_the_list() {
        let ids = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let check = |now: Option<&str>, by, expected: &str| assert_eq!(step(&ids, now, by).as_deref(), Some(expected));
        check(None, 1, "a");
        check(None, -1, "c");
        check(Some("a"), -1, "a");
        check(Some("b"), 1, "c");
        check(Some("c"), 1, "c");
        check(Some("gone"), 1, "a");
        assert_eq!(step(&[], None, 1), None);
    }
}
