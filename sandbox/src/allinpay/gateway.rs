//! Start and stop of a simulated gateway, whatever it speaks.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::control::{Control, Shared};
use super::door::Door;
use super::http::{self, Desk, Protocol};
use super::notice;
use super::options::House;
use crate::alipay::connection::Scissors;

/// How long open calls may take to end when the gateway stops.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running gateway. It ends when it is stopped or dropped.
pub(crate) struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
    ending: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    telling: Telling,
}

/// Ends with the gateway.
struct Telling(JoinHandle<()>);

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Running {
    /// Binds a port of 127.0.0.1 and serves there, in the runtime that calls this. The protocol may need the address.
    pub(crate) fn start<P: Protocol>(
        house: House,
        protocol: impl FnOnce(SocketAddr) -> Result<P, String>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(house));
        let door = Door::bind(Arc::clone(&shared))?;
        let address = door.address();
        let protocol = protocol(address).map_err(io::Error::other)?;
        let desk = Arc::new(Desk { shared: Arc::clone(&shared), protocol });
        let (ending, ended) = oneshot::channel::<()>();
        let service = http::router(Arc::clone(&desk)).into_make_service_with_connect_info::<Scissors>();
        let serving = tokio::spawn(async move {
            let server = axum::serve(door, service).with_graceful_shutdown(async {
                let _ = ended.await;
            });
            if let Err(error) = server.await {
                tracing::error!(%error, "the sandbox gateway ended");
            }
        });
        let telling = Telling(tokio::spawn(notice::tell(desk)));
        Ok(Self { address, shared, ending, serving, telling })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared))
    }

    /// Ends serving and frees the port. What the control side knows stays.
    pub(crate) async fn stop(mut self) {
        drop(self.telling);
        drop(self.ending);
        if tokio::time::timeout(PATIENCE, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
    }
}
