//! What leaves, as bytes: rendered when its turn comes, once for all who see the same, from files that are read once.
//! Kept for the run, within bounds: an isolate has 128 MB.

use std::collections::VecDeque;
use std::rc::Rc;

use futures::lock::Mutex;
use futures::lock::MutexGuard;

use super::Run;
use super::choose::Way;
use super::render;
use crate::app::App;
use crate::ports::Envelope;
use crate::store::deliveries::Claimed;
use crate::store::deliveries::ClaimedFile;
use crate::store::messages;
use mailroom_shared::outbox::choice::ReturnPath;
use mailroom_shared::token;

/// Bytes of files, and of mails, that are kept.
const ROOM: usize = 12 * 1024 * 1024;
/// Mails with more bytes of files are in hand one at a time.
const HEAVY: u64 = 2 * 1024 * 1024;

/// The newest last; the oldest goes when there is no room.
#[derive(Default)]
struct Shelf {
    items: VecDeque<(String, Rc<Vec<u8>>)>,
    size: usize,
}

impl Shelf {
    fn find(&self, key: &str) -> Option<Rc<Vec<u8>>> {
        self.items.iter().rev().find(|(it, _)| it == key).map(|(_, bytes)| Rc::clone(bytes))
    }

    fn keep(&mut self, key: String, bytes: &Rc<Vec<u8>>) {
        self.size += bytes.len();
        self.items.push_back((key, Rc::clone(bytes)));
        // The one that was just needed stays, whatever its size: the next recipient sees it too.
        while self.size > ROOM && self.items.len() > 1 {
            let Some((_, oldest)) = self.items.pop_front() else { return };
            self.size -= oldest.len();
        }
    }
}

/// Mails and files of a run. A lock is held while one is made, so that nobody makes it a second time.
#[derive(Default)]
pub(super) struct Letters {
    mails: Mutex<Shelf>,
    files: Mutex<Shelf>,
    heavy: Mutex<()>,
}

impl Letters {
    /// A file of a mail; the error says which could not be read.
    pub(super) async fn file(&self, app: &App, file: &ClaimedFile) -> Result<Rc<Vec<u8>>, String> {
        let mut kept = self.files.lock().await;
        if let Some(bytes) = kept.find(&file.sha256) {
            return Ok(bytes);
        }
        let bytes = app.blobs.get(&messages::blob_key(&file.sha256)).await.map_err(|e| e.to_string())?;
        let bytes = Rc::new(bytes.ok_or_else(|| format!("the file {} is gone", file.name))?);
        kept.keep(file.sha256.clone(), &bytes);
        Ok(bytes)
    }

    /// Held while a mail with large files is made and sent.
    pub(super) async fn heavy(&self, bytes: u64) -> Option<MutexGuard<'_, ()>> {
        if bytes > HEAVY { Some(self.heavy.lock().await) } else { None }
    }
}

impl Run<'_> {
    /// The envelope of a delivery. The error says why it can't be rendered; that holds up nothing but itself.
    pub(super) async fn envelope(&self, row: &Claimed, server: usize, way: &Way) -> Result<Envelope, String> {
        let raw = if render::is_personal(row) {
            self.rendered(row, server, way).await?
        } else {
            let key = format!("{} {server} {}", row.email_id, way.from.display());
            let mut kept = self.letters.mails.lock().await;
            let raw = if let Some(raw) = kept.find(&key) {
                raw
            } else {
                let raw = Rc::new(self.rendered(row, server, way).await?);
                kept.keep(key, &raw);
                raw
            };
            raw.to_vec()
        };
        let domain = self.fleet.domains.iter().find(|it| it.name.as_str() == row.domain);
        let bounce = domain.map_or("bounce", |it| it.bounce.as_str());
        Ok(Envelope {
            mail_from: match way.return_path {
                ReturnPath::Bounce => {
                    let local = token::bounce_local(&self.app.config.token_secret, bounce, row.id.as_str());
                    format!("{local}@{}", row.domain)
                }
                ReturnPath::From => way.from.address.to_smtp(),
            },
            rcpt_to: row.address.to_smtp(),
            header_from: way.from.address.to_smtp(),
            raw,
        })
    }

    async fn rendered(&self, row: &Claimed, server: usize, way: &Way) -> Result<Vec<u8>, String> {
        let server = self.server(server).ok_or("the outgoing server is gone")?;
        match self.bulk.mail(self.app, self.fleet.base_url.as_deref(), row, &way.from) {
            Some(mail) => render::finish(self.app, self.fleet, server, &way.from, &mail).await,
            None => render::render(self, server, row, &way.from).await,
        }
    }
}
