//! Sockets: a listener that really refuses when the network is down, and connections that can be cut in the middle.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

use super::control::Shared;

/// The gateway's door on loopback.
pub(crate) struct Door {
    address: SocketAddr,
    /// Bound and never listening: keeps the port while the door is shut.
    _port: TcpSocket,
    open: Option<TcpListener>,
    shared: Arc<Shared>,
    changes: watch::Receiver<u64>,
}

impl Door {
    /// Binds 127.0.0.1 at `port`, 0 for a free one, and opens.
    pub(crate) fn bind(port: u16, shared: Arc<Shared>) -> io::Result<Self> {
        let reserved = socket(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let address = reserved.local_addr()?;
        Ok(Self {
            address,
            _port: reserved,
            open: Some(socket(address)?.listen(1024)?),
            changes: shared.changes.subscribe(),
            shared,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shuts or opens as the weather says. `None` when it is shut.
    fn listener(&mut self) -> Option<&TcpListener> {
        if self.shared.network_is_down() {
            self.open = None;
        } else if self.open.is_none() {
            self.open = socket(self.address)
                .and_then(|socket| socket.listen(1024))
                .inspect_err(|error| tracing::warn!(%error, "the sandbox cannot listen yet"))
                .ok();
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
            let Some(listener) = self.listener() else {
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

/// Cuts a connection: nothing more is written, and it ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scissors(Arc<AtomicBool>);

impl Scissors {
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, Door>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().scissors()
    }
}

/// A connection.
pub(crate) struct Line {
    stream: TcpStream,
    scissors: Scissors,
}

impl Line {
    pub(crate) fn new(stream: TcpStream) -> Self {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
        Self { stream, scissors: Scissors::default() }
    }

    pub(crate) fn scissors(&self) -> Scissors {
        self.scissors.clone()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.scissors.check() {
            Ok(()) => Pin::new(&mut self.stream).poll_write(context, bytes),
            Err(cut) => Poll::Ready(Err(cut)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
