//! The Durable Object that open pages listen to. It keeps no state but the sockets, which hibernate.

use async_trait::async_trait;
use mailroom_shared::api::Stale;
use worker::DurableObject;
use worker::Env;
use worker::Request;
use worker::Response;
use worker::State;
use worker::WebSocket;
use worker::WebSocketIncomingMessage;
use worker::WebSocketPair;
use worker::durable_object;

use crate::ports::Live;

/// One per installation, by the name `all`.
#[durable_object]
pub struct Hub {
    state: State,
}

impl DurableObject for Hub {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    /// `POST /publish` with a [`Stale`], or a WebSocket upgrade (authorised by the caller).
    async fn fetch(&self, mut req: Request) -> worker::Result<Response> {
        if req.path().ends_with("/publish") {
            let text = req.text().await?;
            for socket in self.state.get_websockets() {
                // A socket that is going away misses nothing: the page reads all again when it comes back.
                let _ = socket.send_with_str(&text);
            }
            return Response::empty();
        }
        let pair = WebSocketPair::new()?;
        self.state.accept_web_socket(&pair.server);
        Response::from_websocket(pair.client)
    }

    async fn websocket_message(&self, socket: WebSocket, message: WebSocketIncomingMessage) -> worker::Result<()> {
        // The page's heartbeat.
        if let WebSocketIncomingMessage::String(text) = message
            && text == "ping"
        {
            let _ = socket.send_with_str("pong");
        }
        Ok(())
    }

    async fn websocket_close(&self, socket: WebSocket, _: usize, _: String, _: bool) -> worker::Result<()> {
        let _ = socket.close(Some(1000), Some("bye"));
        Ok(())
    }

    async fn websocket_error(&self, _: WebSocket, _: worker::Error) -> worker::Result<()> {
        Ok(())
    }
}

pub(super) struct HubClient(pub(super) worker::send::SendWrapper<worker::ObjectNamespace>);

impl HubClient {
    pub(super) fn stub(&self) -> worker::Result<worker::Stub> {
        self.0.id_from_name("all")?.get_stub()
    }

    async fn post(&self, text: String) -> worker::Result<()> {
        let mut init = worker::RequestInit::new();
        init.with_method(worker::Method::Post).with_body(Some(text.into()));
        let request = Request::new_with_init("https://hub/publish", &init)?;
        self.stub()?.fetch_with_request(request).await.map(|_| ())
    }
}

#[async_trait(?Send)]
impl Live for HubClient {
    async fn publish(&self, tags: &[String]) {
        let Ok(text) = serde_json::to_string(&Stale { tags: tags.to_vec() }) else { return };
        super::halt::before("hub publish").await;
        if let Err(error) = self.post(text).await {
            crate::log::warn("hub_unreachable", &[("error", &error.to_string())]);
        }
    }
}
