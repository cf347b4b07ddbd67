//! The listener: one thread per connection, all of them ended when the [`Server`] is dropped.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use super::session::{self, Service};

/// RFC 5321 section 4.5.3.2.7: a server waits five minutes for the next command.
const IDLE: Duration = Duration::from_mins(5);

pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accept: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    next: AtomicU64,
    open: Mutex<HashMap<u64, TcpStream>>,
}

impl Server {
    /// Listens on `address`; port 0 takes a free one, see [`Server::address`].
    pub fn start(address: SocketAddr, service: Arc<dyn Service>) -> Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| {
            format!(
                "cannot listen on {address} for {}; is another copy running? Choose another port or stop it",
                service.name()
            )
        })?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accept = thread::Builder::new().name(format!("smtp {address}")).spawn({
            let shared = Arc::clone(&shared);
            move || accept_loop(&listener, &shared, &service)
        })?;
        Ok(Self { address, shared, accept: Some(accept) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the accept call, which has no time limit of its own.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(accept) = self.accept.take() {
            let _ = accept.join();
        }
    }
}

fn accept_loop(listener: &TcpListener, shared: &Arc<Shared>, service: &Arc<dyn Service>) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let _ = stream.set_nodelay(true);
        let _ = stream.set_read_timeout(Some(IDLE));
        let _ = stream.set_write_timeout(Some(IDLE));
        let id = shared.next.fetch_add(1, Ordering::Relaxed);
        if let Ok(copy) = stream.try_clone() {
            shared.open.lock().unwrap_or_else(PoisonError::into_inner).insert(id, copy);
        }
        let shared = Arc::clone(shared);
        let service = Arc::clone(service);
        // A connection that cannot get a thread is closed, and the peer tries again.
        let _ = thread::Builder::new().name(format!("smtp connection {id}")).spawn(move || {
            // An error here is a peer that went away; there is nobody left to tell.
            let _ = session::serve(stream, service.as_ref());
            if let Some(copy) = shared.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id) {
                let _ = copy.shutdown(Shutdown::Both);
            }
        });
    }
}
