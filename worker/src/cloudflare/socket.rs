//! A TCP connection of the platform as the SMTP client wants it. Reader and writer are taken once and kept: to let a lock
//! go costs more than to read. A write is under way while the answer to it is waited for.

use js_sys::Uint8Array;
use mailroom_shared::api::servers::Security;
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use wasm_smtp::IoError;
use wasm_smtp::StartTlsCapable;
use wasm_smtp::Transport;
use web_sys::ReadableStreamDefaultReader;
use web_sys::WritableStreamDefaultWriter;
use worker::worker_sys;

#[wasm_bindgen]
extern "C" {
    /// What a reader answers.
    type Chunk;

    #[wasm_bindgen(method, getter)]
    fn done(this: &Chunk) -> bool;
    #[wasm_bindgen(method, getter)]
    fn value(this: &Chunk) -> Option<Uint8Array>;

    /// Address, and options, of a connection.
    #[wasm_bindgen(js_name = Object)]
    type Plain;

    #[wasm_bindgen(constructor, js_class = "Object")]
    fn new() -> Plain;
    #[wasm_bindgen(method, setter)]
    fn set_hostname(this: &Plain, name: &str);
    #[wasm_bindgen(method, setter)]
    fn set_port(this: &Plain, port: u16);
    #[wasm_bindgen(method, setter, js_name = secureTransport)]
    fn set_secure_transport(this: &Plain, how: &str);
}

fn fault(error: &JsValue) -> IoError {
    let text = error.dyn_ref::<js_sys::Error>().map(|it| String::from(it.message()));
    IoError::new(text.or_else(|| error.as_string()).unwrap_or_else(|| format!("{error:?}")))
}

pub(super) struct Connection {
    socket: worker_sys::Socket,
    ends: Ends,
    /// Read and not asked for yet.
    rest: Vec<u8>,
    writing: Option<JsFuture>,
}

struct Ends {
    reader: ReadableStreamDefaultReader,
    writer: WritableStreamDefaultWriter,
}

impl Ends {
    fn of(socket: &worker_sys::Socket) -> Result<Self, JsValue> {
        Ok(Self { reader: socket.readable()?.get_reader().unchecked_into(), writer: socket.writable()?.get_writer()? })
    }

    fn release(&self) {
        self.reader.release_lock();
        self.writer.release_lock();
    }
}

impl Connection {
    /// Begins to connect; that it failed shows at the first read.
    pub(super) fn open(host: &str, port: u16, security: Security) -> Result<Self, IoError> {
        let (address, options) = (Plain::new(), Plain::new());
        address.set_hostname(host);
        address.set_port(port);
        options.set_secure_transport(match security {
            Security::None => "off",
            Security::StartTls => "starttls",
            Security::Tls => "on",
        });
        let socket = worker_sys::connect(address.into(), options.into()).map_err(|e| fault(&e))?;
        let ends = Ends::of(&socket).map_err(|e| fault(&e))?;
        Ok(Self { socket, ends, rest: Vec::new(), writing: None })
    }

    /// Waits for the connection.
    pub(super) async fn opened(&self) -> Result<(), IoError> {
        JsFuture::from(self.socket.opened().map_err(|e| fault(&e))?).await.map(drop).map_err(|e| fault(&e))
    }

    /// The write before, if it is still under way.
    async fn written(&mut self) -> Result<(), IoError> {
        match self.writing.take() {
            Some(writing) => writing.await.map(drop).map_err(|e| fault(&e)),
            None => Ok(()),
        }
    }
}

impl Transport for Connection {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, IoError> {
        if self.rest.is_empty() {
            let chunk: Chunk = JsFuture::from(self.ends.reader.read()).await.map_err(|e| fault(&e))?.unchecked_into();
            match chunk.value().filter(|_| !chunk.done()) {
                Some(bytes) => self.rest = bytes.to_vec(),
                None => return Ok(0),
            }
        }
        let n = self.rest.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(self.rest.drain(..n)) {
            *to = from;
        }
        Ok(n)
    }

    async fn write_all(&mut self, buf: &[u8]) -> Result<(), IoError> {
        self.written().await?;
        self.writing = Some(JsFuture::from(self.ends.writer.write_with_chunk(&Uint8Array::from(buf))));
        Ok(())
    }

    async fn close(&mut self) -> Result<(), IoError> {
        // A peer that went away takes nothing more; that is no reason not to close.
        let _ = self.written().await;
        self.ends.release();
        JsFuture::from(self.socket.close().map_err(|e| fault(&e))?).await.map(drop).map_err(|e| fault(&e))
    }
}

impl StartTlsCapable for Connection {
    async fn upgrade_to_tls(&mut self) -> Result<(), IoError> {
        self.written().await?;
        self.ends.release();
        self.socket = self.socket.start_tls().map_err(|e| fault(&e))?;
        self.ends = Ends::of(&self.socket).map_err(|e| fault(&e))?;
        Ok(())
    }
}
