//! Many questions as few statements. What D1 costs is mostly per statement, so those that answer little become columns of
//! one row, each a JSON array of its rows.

use core::fmt::Write as _;

use serde_json::Value as Json;

use super::Answers;
use super::StoreError;
use crate::app::App;
use crate::ports::Rows;
use crate::ports::Statement;

/// Tables of which a question may find thousands of rows; a value of D1 ends at 2 MB, so these answer row by row.
const LONG: [&str; 2] = ["contacts", "followers"];

/// Answers of all questions in their order, in one round trip. `with` are the common table expressions they refer to.
pub(super) async fn run(app: &App, with: &Statement, questions: Vec<Statement>) -> Result<Answers, StoreError> {
    let (statements, places) = join(with, questions);
    let found = app.db.batch(statements).await?;
    Ok(Answers::new(split(found, &places)?))
}

/// Where the answer of a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// This column of the first statement's row.
    Column(usize),
    /// This statement.
    Statement(usize),
}

pub(super) fn join(with: &Statement, questions: Vec<Statement>) -> (Vec<Statement>, Vec<Place>) {
    let mut joined = with.clone();
    let mut statements = Vec::new();
    let mut places = Vec::new();
    let mut columns = 0;
    let mut text = format!("WITH {} SELECT ", with.sql);
    for question in questions {
        if let Some(shape) = shape(&question.sql).filter(|it| !LONG.contains(&it.table)) {
            let object = shape.columns.iter().map(|it| format!("'{it}', \"{it}\"")).collect::<Vec<_>>().join(", ");
            let inner = renumbered(&question.sql, joined.params.len());
            let comma = if columns > 0 { ", " } else { "" };
            // Writing to a String can't fail.
            let _ =
                write!(text, "{comma}(SELECT json_group_array(json_object({object})) FROM ({inner})) AS c{columns}");
            joined.params.extend(question.params);
            places.push(Place::Column(columns));
            columns += 1;
        } else {
            places.push(Place::Statement(1 + statements.len()));
            let sql = format!("WITH {} {}", with.sql, renumbered(&question.sql, with.params.len()));
            let params = with.params.iter().cloned().chain(question.params).collect();
            statements.push(Statement { sql: sql.into(), params });
        }
    }
    if columns == 0 {
        text.push('1');
    }
    joined.sql = text.into();
    statements.insert(0, joined);
    (statements, places)
}

fn split(found: Vec<Rows>, places: &[Place]) -> Result<Vec<Rows>, StoreError> {
    let mut found: Vec<Option<Rows>> = found.into_iter().map(Some).collect();
    let mut first =
        found.first_mut().and_then(Option::take).and_then(|it| it.rows.into_iter().next()).unwrap_or_default();
    places
        .iter()
        .map(|place| match place {
            Place::Column(n) => match first.remove(&format!("c{n}")) {
                Some(Json::String(text)) => {
                    let rows = serde_json::from_str(&text).map_err(|e| StoreError::Corrupt(e.to_string()))?;
                    Ok(Rows { rows, ..Rows::default() })
                }
                _ => Err(StoreError::Corrupt(format!("question {n} has no answer"))),
            },
            Place::Statement(n) => Ok(found.get_mut(*n).and_then(Option::take).unwrap_or_default()),
        })
        .collect()
}

/// Names of the columns a SELECT answers, and the first table it reads.
struct Shape<'a> {
    columns: Vec<&'a str>,
    table: &'a str,
}

fn shape(sql: &str) -> Option<Shape<'_>> {
    let body = sql.trim_start().strip_prefix("SELECT ")?;
    let mut depth = 0_usize;
    let mut start = 0;
    let mut columns = Vec::new();
    let mut table = "";
    let mut end = body.len();
    for (i, c) in body.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                columns.push(column(body.get(start..i)?)?);
                start = i + 1;
            }
            'F' if depth == 0 => {
                let rest = body.get(i..)?;
                if rest.starts_with("FROM ") && body.get(..i)?.ends_with(char::is_whitespace) {
                    table = rest.split_whitespace().nth(1)?;
                    end = i;
                    break;
                }
            }
            _ => {}
        }
    }
    columns.push(column(body.get(start..end)?)?);
    Some(Shape { columns, table })
}

/// `a.b` is `b`, `… AS b` is `b`.
fn column(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next_back()?;
    let name = word.rsplit('.').next()?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}

/// `?1` becomes `?(1 + by)`.
fn renumbered(sql: &str, by: usize) -> String {
    let mut out = String::with_capacity(sql.len() + 32);
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once('?') {
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = after.split_at(digits);
        out.push_str(before);
        out.push('?');
        match number.parse::<usize>() {
            Ok(n) => out.push_str(&(n + by).to_string()),
            Err(_) => out.push_str(number),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement;

    #[test]
    fn small_questions_become_columns_and_long_ones_stay() {
        let questions = vec![
            statement!(
                "SELECT a.id, b.c AS d, EXISTS (SELECT 1, 2 FROM x) AS e FROM aliases a WHERE k = ?1 OR j = ?2",
                "p",
                "q"
            ),
            statement!("SELECT record_id FROM followers WHERE r = ?1", "r"),
            statement!("SELECT EXISTS (SELECT 1 FROM paused WHERE k = ?1) AS paused", "s"),
        ];
        let (statements, places) = join(&statement!("t AS (SELECT ?1)", "w"), questions);
        assert_eq!(places, [Place::Column(0), Place::Statement(1), Place::Column(1)]);
        let [joined, long] = statements.as_slice() else { panic!("{statements:?}") };
        assert_eq!(long.sql, "WITH t AS (SELECT ?1) SELECT record_id FROM followers WHERE r = ?2");
        assert_eq!((joined.params.len(), long.params.len()), (4, 2));
        assert!(joined.sql.contains("json_object('id', \"id\", 'd', \"d\", 'e', \"e\")"), "{}", joined.sql);
        assert!(joined.sql.contains("WHERE k = ?4) AS paused)"), "{}", joined.sql);
    }
}
