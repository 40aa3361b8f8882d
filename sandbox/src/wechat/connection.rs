//! Sockets: listeners that really refuse when the network is down, with or without TLS; connections that can be cut in
//! the middle and end when they idle.

use std::future::Future as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use super::control::Shared;
use super::weather::Host;

/// A host's door on loopback.
pub(crate) struct Door {
    address: SocketAddr,
    host: Host,
    tls: Option<TlsAcceptor>,
    /// Bound and never listening: keeps the port while the door is shut.
    _port: TcpSocket,
    open: Option<TcpListener>,
    shared: Arc<Shared>,
    changes: watch::Receiver<u64>,
}

impl Door {
    /// Binds 127.0.0.1 at `port`, 0 for a free one, and opens.
    pub(crate) fn bind(port: u16, host: Host, tls: Option<TlsAcceptor>, shared: Arc<Shared>) -> io::Result<Self> {
        let reserved = socket(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let address = reserved.local_addr()?;
        Ok(Self {
            address,
            host,
            tls,
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
        if self.shared.is_down(self.host) {
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
        let idle = Duration::from_millis(self.shared.options.idle_ms);
        let (host, tls) = (self.host, self.tls.clone());
        loop {
            changes.borrow_and_update();
            let down = self.shared.is_down(host);
            let Some(listener) = self.listener() else {
                // Shut by the weather: wait for it. Not able to listen: try again soon.
                let again = Duration::from_millis(if down { 1000 } else { 20 });
                let _ = tokio::time::timeout(again, changes.changed()).await;
                continue;
            };
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => return (Line::new(stream, tls.as_ref(), host, idle), peer),
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

/// What a call knows of its connection, and does to it.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) host: Host,
    pub(crate) tls: bool,
    certificate: Arc<OnceLock<Vec<u8>>>,
    cut: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
}

impl Wire {
    /// Ends the connection: nothing more is written.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// The checked certificate that the client showed, DER.
    pub(crate) fn certificate(&self) -> Option<&[u8]> {
        self.certificate.get().map(Vec::as_slice)
    }

    /// While this lives, a call is under way and the connection does not idle.
    pub(crate) fn busy(&self) -> Busy {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Busy(Arc::clone(&self.calls))
    }

    fn check(&self) -> io::Result<()> {
        if self.cut.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

/// A call under way.
pub(crate) struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Door>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().wire.clone()
    }
}

enum Stream {
    Plain(TcpStream),
    Greeting(Box<Accept<TcpStream>>),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection.
pub(crate) struct Line {
    stream: Stream,
    wire: Wire,
    idle: Duration,
    idle_until: Pin<Box<Sleep>>,
}

impl Line {
    fn new(stream: TcpStream, tls: Option<&TlsAcceptor>, host: Host, idle: Duration) -> Self {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
        let wire =
            Wire { host, tls: tls.is_some(), certificate: Arc::default(), cut: Arc::default(), calls: Arc::default() };
        let stream = match tls {
            Some(acceptor) => Stream::Greeting(Box::new(acceptor.accept(stream))),
            None => Stream::Plain(stream),
        };
        Self { stream, wire, idle, idle_until: Box::pin(tokio::time::sleep(idle)) }
    }

    /// Ends the TLS greeting, if there is one.
    fn greet(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Stream::Greeting(accept) = &mut self.stream {
            let stream = ready!(Pin::new(accept.as_mut()).poll(context))?;
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            if let Some(certificate) = shown {
                let _ = self.wire.certificate.set(certificate.as_ref().to_vec());
            }
            self.stream = Stream::Tls(Box::new(stream));
        }
        Poll::Ready(Ok(()))
    }

    /// Whether nothing was asked for too long.
    fn idles(&mut self, context: &mut Context<'_>) -> bool {
        let due = self.idle_until.as_mut().poll(context).is_ready();
        if due && self.wire.calls.load(Ordering::SeqCst) > 0 {
            self.stir();
            return self.idle_until.as_mut().poll(context).is_ready();
        }
        due
    }

    fn stir(&mut self) {
        let until = tokio::time::Instant::now() + self.idle;
        self.idle_until.as_mut().reset(until);
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.greet(context))?;
        let before = buffer.filled().len();
        let read = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
            Stream::Greeting(_) => Poll::Pending,
        };
        if buffer.filled().len() > before {
            self.stir();
        }
        // An end of the stream closes the connection as a quiet gateway does.
        if read.is_pending() && self.idles(context) { Poll::Ready(Ok(())) } else { read }
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.wire.check()?;
        ready!(self.greet(context))?;
        self.stir();
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
            Stream::Greeting(_) => Poll::Pending,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
            Stream::Greeting(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            Stream::Greeting(_) => Poll::Ready(Ok(())),
        }
    }
}
