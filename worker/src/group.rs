//! Transactions of one event that wait at the same time travel together: while one batch is under way the next ones
//! gather, and go as one. A round trip and a commit cost more than a dozen statements.

use std::sync::Mutex;
use std::sync::PoisonError;

use async_trait::async_trait;
use futures::channel::oneshot;

use crate::ports::Db;
use crate::ports::DbError;
use crate::ports::Rows;
use crate::ports::Statement;

/// Statements that travel together at most.
const MOST: usize = 600;

/// A store whose transactions are grouped. All of a group succeed together; when one fails, each is tried by itself,
/// so nobody suffers from another's broken key.
pub struct Grouped<D> {
    inner: D,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    is_busy: bool,
    waiting: Vec<Waiting>,
}

struct Waiting {
    statements: Vec<Statement>,
    answer: oneshot::Sender<Turn>,
}

enum Turn {
    Done(Result<Vec<Rows>, DbError>),
    /// The one before is through: this one takes those that wait with it.
    Lead(Vec<Statement>),
}

/// Hands the lead on, also when the leader is dropped half-way.
struct Lead<'a>(&'a Mutex<Line>);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !line.waiting.is_empty() {
            let next = line.waiting.remove(0);
            // One that waits no longer is passed over.
            if next.answer.send(Turn::Lead(next.statements)).is_ok() {
                return;
            }
        }
        line.is_busy = false;
    }
}

impl<D: Db> Grouped<D> {
    pub fn new(inner: D) -> Self {
        Self { inner, line: Mutex::default() }
    }

    fn line(&self) -> std::sync::MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs these, and those that wait with them.
    async fn lead(&self, own: Vec<Statement>) -> Result<Vec<Rows>, DbError> {
        let _lead = Lead(&self.line);
        let mut others = Vec::new();
        {
            let mut line = self.line();
            let mut size = own.len();
            while let Some(next) = line.waiting.first() {
                size += next.statements.len();
                if size > MOST {
                    break;
                }
                others.push(line.waiting.remove(0));
            }
        }
        if others.is_empty() {
            return self.inner.batch(own).await;
        }
        let all = own.iter().chain(others.iter().flat_map(|it| &it.statements)).cloned().collect();
        if let Ok(rows) = self.inner.batch(all).await {
            let mut rows = rows.into_iter();
            let mine = rows.by_ref().take(own.len()).collect();
            for other in others {
                let answer = rows.by_ref().take(other.statements.len()).collect();
                let _ = other.answer.send(Turn::Done(Ok(answer)));
            }
            return Ok(mine);
        }
        let mine = self.inner.batch(own).await;
        for other in others {
            let answer = self.inner.batch(other.statements).await;
            let _ = other.answer.send(Turn::Done(answer));
        }
        mine
    }

    /// A place in the line; the statements back when nobody is before them.
    fn queue(&self, statements: Vec<Statement>) -> Result<oneshot::Receiver<Turn>, Vec<Statement>> {
        let mut line = self.line();
        if !line.is_busy {
            line.is_busy = true;
            return Err(statements);
        }
        let (answer, turn) = oneshot::channel();
        line.waiting.push(Waiting { statements, answer });
        Ok(turn)
    }
}

#[async_trait(?Send)]
impl<D: Db> Db for Grouped<D> {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DbError> {
        let turn = match self.queue(statements) {
            Ok(turn) => turn,
            Err(statements) => return self.lead(statements).await,
        };
        match turn.await {
            Ok(Turn::Done(answer)) => answer,
            Ok(Turn::Lead(statements)) => self.lead(statements).await,
            Err(_) => Err(DbError::Failed("the transaction it travelled with was given up".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::executor::block_on;
    use futures::future::join_all;

    use super::*;
    use crate::statement;

    /// Fails what contains `bad`; takes one turn of the executor for each batch, and notes its size.
    #[derive(Default)]
    struct Slow(Arc<Mutex<Vec<usize>>>);

    #[async_trait(?Send)]
    impl Db for Slow {
        async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DbError> {
            let mut polled = false;
            std::future::poll_fn(|cx| {
                if std::mem::replace(&mut polled, true) {
                    return std::task::Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
            self.0.lock().unwrap().push(statements.len());
            if statements.iter().any(|it| it.sql == "bad") {
                return Err(DbError::Unique("t.k".to_owned()));
            }
            Ok(statements.iter().map(|it| Rows { changes: it.sql.len() as u32, ..Rows::default() }).collect())
        }
    }

    #[test]
    fn those_that_wait_travel_together_and_fail_alone() {
        let sizes = Arc::default();
        let db = Grouped::new(Slow(Arc::clone(&sizes)));
        let ask = |sql: &'static str| db.batch(vec![statement!(sql), statement!("xx")]);
        let answers = block_on(join_all([ask("a"), ask("bbb"), ask("bad"), ask("cccc")]));
        let changes = |it: &Result<Vec<Rows>, DbError>| it.as_ref().map(|it| it[0].changes).map_err(Clone::clone);
        let got: Vec<_> = answers.iter().map(changes).collect();
        assert_eq!(got, [Ok(1), Ok(3), Err(DbError::Unique("t.k".to_owned())), Ok(4)]);
        // The first alone, the other three together, and each by itself since one was broken.
        assert_eq!(*sizes.lock().unwrap(), [2, 6, 2, 2, 2]);
        assert_eq!(changes(&block_on(ask("ddddd"))), Ok(5));
    }
}
