//! Start and stop of the simulated gateway.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection::{Door, Wire};
use super::control::{Control, Shared};
use super::http;
use super::keys::GatewayKeys;
use super::options::GatewayOptions;
use super::tls;
use super::weather::Host;

/// How long open calls may take to end when the gateway stops.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running gateway: one world behind a primary and a backup host, each with and without TLS. It ends when it is
/// stopped or dropped.
pub struct Gateway {
    addresses: Addresses,
    shared: Arc<Shared>,
    ending: watch::Sender<bool>,
    serving: JoinSet<()>,
}

#[derive(Debug, Clone, Copy)]
struct Addresses {
    primary: SocketAddr,
    primary_tls: SocketAddr,
    backup: SocketAddr,
    backup_tls: SocketAddr,
}

impl Gateway {
    /// Binds ports of 127.0.0.1 and serves there, in the runtime that calls this.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub async fn start(options: GatewayOptions) -> io::Result<Self> {
        let keys = GatewayKeys::load(&options).map_err(io::Error::other)?;
        let port = options.port;
        let shared = Arc::new(Shared::new(options, keys));
        let acceptor = tls::acceptor()?;
        let door = |port, host, tls| Door::bind(port, host, tls, Arc::clone(&shared));
        let primary = door(port, Host::Primary, None)?;
        let primary_tls = door(0, Host::Primary, Some(acceptor.clone()))?;
        let backup = door(0, Host::Backup, None)?;
        let backup_tls = door(0, Host::Backup, Some(acceptor))?;
        let addresses = Addresses {
            primary: primary.address(),
            primary_tls: primary_tls.address(),
            backup: backup.address(),
            backup_tls: backup_tls.address(),
        };
        let (ending, _) = watch::channel(false);
        let mut serving = JoinSet::new();
        for door in [primary, primary_tls, backup, backup_tls] {
            serving.spawn(serve(door, Arc::clone(&shared), ending.subscribe()));
        }
        Ok(Self { addresses, shared, ending, serving })
    }

    /// Where the primary host listens, without TLS.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.addresses.primary
    }

    /// The primary host's base address, without TLS and without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addresses.primary)
    }

    /// The primary host's base address with TLS: the only one where APIv2 reverses work.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("https://{}", self.addresses.primary_tls)
    }

    /// The backup host's base address, without TLS.
    #[must_use]
    pub fn backup_url(&self) -> String {
        format!("http://{}", self.addresses.backup)
    }

    /// The backup host's base address with TLS.
    #[must_use]
    pub fn backup_tls_url(&self) -> String {
        format!("https://{}", self.addresses.backup_tls)
    }

    /// The side that tests and the demo hold. It outlives the gateway.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared))
    }

    /// Ends serving and frees the ports. What the control side knows stays.
    pub async fn stop(mut self) {
        self.ending.send_replace(true);
        let all = async { while self.serving.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            self.serving.abort_all();
        }
    }
}

async fn serve(door: Door, shared: Arc<Shared>, mut ended: watch::Receiver<bool>) {
    let service = http::router(shared).into_make_service_with_connect_info::<Wire>();
    let server = axum::serve(door, service).with_graceful_shutdown(async move {
        let _ = ended.wait_for(|ended| *ended).await;
    });
    if let Err(error) = server.await {
        tracing::error!(%error, "a host of the sandbox gateway ended");
    }
}
