//! The gateways' door on loopback: it really refuses when the network is down.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

use super::control::Shared;
use crate::alipay::connection::{Line, Scissors};

/// A listener that the weather can shut.
pub(crate) struct Door {
    address: SocketAddr,
    /// Bound and never listening: keeps the port while the door is shut.
    _port: TcpSocket,
    open: Option<TcpListener>,
    shared: Arc<Shared>,
    changes: watch::Receiver<u64>,
}

impl Door {
    /// Binds 127.0.0.1 at the house's port and opens.
    pub(crate) fn bind(shared: Arc<Shared>) -> io::Result<Self> {
        let reserved = socket(SocketAddr::from((Ipv4Addr::LOCALHOST, shared.house.port)))?;
        let address = reserved.local_addr()?;
        let open = Some(socket(address)?.listen(1024)?);
        Ok(Self { address, _port: reserved, open, changes: shared.changes.subscribe(), shared })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn listener(&mut self, down: bool) -> Option<&TcpListener> {
        if down {
            self.open = None;
        } else if self.open.is_none() {
            self.open = socket(self.address).and_then(|socket| socket.listen(1024)).ok();
        }
        self.open.as_ref()
    }
}

fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let mut changes = self.changes.clone();
        loop {
            changes.borrow_and_update();
            let down = self.shared.network_is_down();
            let Some(listener) = self.listener(down) else {
                // Shut by the weather: wait for it. Not able to listen: try again soon.
                let again = Duration::from_millis(if down { 1000 } else { 20 });
                let _ = tokio::time::timeout(again, changes.changed()).await;
                continue;
            };
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => return (Line::new(stream), peer),
                    Err(error) => tracing::warn!(%error, "the sandbox could not accept a connection"),
                },
                _ = changes.changed() => {}
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, Door>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().scissors()
    }
}
