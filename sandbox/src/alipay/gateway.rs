//! Start and stop of the simulated gateway.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::connection::{Door, Scissors};
use super::control::{Control, Shared};
use super::http;
use super::keys::GatewayKeys;
use super::options::GatewayOptions;

/// How long open calls may take to end when the gateway stops.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running gateway. It ends when it is stopped or dropped.
pub struct Gateway {
    address: SocketAddr,
    shared: Arc<Shared>,
    ending: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Gateway {
    /// Binds a port of 127.0.0.1 and serves `POST /gateway.do` there, in the runtime that calls this.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub async fn start(options: GatewayOptions) -> io::Result<Self> {
        let keys = GatewayKeys::load(options.mode).map_err(io::Error::other)?;
        let port = options.port;
        let shared = Arc::new(Shared::new(options, keys));
        let door = Door::bind(port, Arc::clone(&shared))?;
        let address = door.address();
        shared.change(|world, _| world.address = address.to_string());
        let (ending, ended) = oneshot::channel::<()>();
        let service = http::router(Arc::clone(&shared)).into_make_service_with_connect_info::<Scissors>();
        let serving = tokio::spawn(async move {
            let server = axum::serve(door, service).with_graceful_shutdown(async {
                let _ = ended.await;
            });
            if let Err(error) = server.await {
                tracing::error!(%error, "the sandbox gateway ended");
            }
        });
        Ok(Self { address, shared, ending, serving })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `gateway_url` of the terminal must be.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/gateway.do", self.address)
    }

    /// The side that tests and the demo hold. It outlives the gateway.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared))
    }

    /// Ends serving and frees the port. What the control side knows stays.
    pub async fn stop(mut self) {
        drop(self.ending);
        if tokio::time::timeout(PATIENCE, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
    }
}
