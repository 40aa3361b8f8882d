//! The two doors: a Unix socket for the group of the machine's programs, and loopback TCP behind a token.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Connections that one door holds open; more wait outside.
pub(super) const CONNECTIONS_MAX: usize = 64;
/// A connection on which nothing moves for so long is closed. Event streams say something more often than that.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// From the first byte of a request until its head is whole: longer is a caller who only wants to hold the place.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// The longest head, so that all places together cannot fill the memory of a small machine. A body that waited for
/// `100 Continue` looks like a head from here, so it is no less than the longest body.
const HEAD_BYTES_MAX: usize = super::body::BODY_BYTES_MAX;
/// The socket's owner and group may speak with the daemon.
const SOCKET_MODE: u32 = 0o660;

/// Opens the Unix socket at `path`. One that a dead daemon left behind is removed; one that answers is not.
///
/// # Errors
///
/// When another daemon answers there, something else is there, or the directory is missing or not ours.
pub fn unix(path: &Path) -> io::Result<UnixListener> {
    remove_stale(path)?;
    let listener = UnixListener::bind(path).map_err(|error| advise(path, &error))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE))?;
    Ok(listener)
}

fn advise(path: &Path, error: &io::Error) -> io::Error {
    let advice = "its directory must exist and belong to the user that runs till";
    io::Error::new(error.kind(), format!("cannot open the API's socket {} ({error}): {advice}", path.display()))
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    let refuse = |why| Err(io::Error::new(io::ErrorKind::AddrInUse, format!("{} {why}", path.display())));
    if !found.file_type().is_socket() {
        return refuse("is not a socket; move it away, or give the API another path");
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => refuse("answers: another till runs there. Stop it first"),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) => Err(advise(path, &error)),
    }
}

/// Opens the TCP door, on loopback only.
///
/// # Errors
///
/// An address that others can reach, or one that is taken.
pub async fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        let advice = "the API moves money and speaks plain HTTP; it listens on 127.0.0.1 or ::1 only";
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{address} can be reached from outside: {advice}"),
        ));
    }
    TcpListener::bind(address).await.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot open the API's address {address} ({error}): is another program there?"),
        )
    })
}

/// What a door is over. One type for both, so that the whole server is in the program once.
#[derive(Debug)]
pub enum Way {
    /// The Unix socket.
    Unix(UnixListener),
    /// Loopback TCP.
    Tcp(TcpListener),
}

impl Way {
    async fn accept(&mut self) -> Box<dyn Stream> {
        match self {
            Self::Unix(listener) => Box::new(Listener::accept(listener).await.0),
            Self::Tcp(listener) => {
                let (stream, _) = Listener::accept(listener).await;
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY was refused; answers may be late by some milliseconds");
                }
                Box::new(stream)
            }
        }
    }
}

/// A connection over either way.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A door that holds a bounded number of connections, and closes those that are idle or never finish a request's head.
#[derive(Debug)]
pub struct Door {
    way: Way,
    places: Arc<Semaphore>,
}

impl Door {
    /// A door over `way`.
    pub fn new(way: Way) -> Self {
        Self { way, places: Arc::new(Semaphore::new(CONNECTIONS_MAX)) }
    }
}

impl Listener for Door {
    type Io = Guest;
    type Addr = ();

    async fn accept(&mut self) -> (Guest, ()) {
        // Never closed, so there is always a permit in the end.
        let place = self.places.clone().acquire_owned().await.ok();
        (Guest::new(self.way.accept().await, place), ())
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection with its place at the door and its limits.
pub struct Guest {
    stream: Box<dyn Stream>,
    /// When it is closed unless something moves, or the head is whole.
    closes: Pin<Box<Sleep>>,
    reading: Reading,
    _place: Option<OwnedSemaphorePermit>,
}

/// Where in a request a connection is, as far as it matters to its limits.
#[derive(Debug, Clone, Copy)]
enum Reading {
    /// Nothing of a request has come.
    Nothing,
    /// Its head is coming.
    Head(Head),
    /// The head is whole; the body has its own limits.
    Rest,
}

/// As much of a head as has come.
#[derive(Debug, Clone, Copy)]
struct Head {
    by: Instant,
    bytes: usize,
    /// Line ends in a row; before the first letter none counts.
    line_ends: Option<u8>,
}

impl Head {
    fn new(now: Instant) -> Self {
        Self { by: now + HEAD_LIMIT, bytes: 0, line_ends: None }
    }

    /// Takes bytes in; `true` when the empty line that ends the head was among them.
    fn take(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            self.bytes += 1;
            self.line_ends = match (byte, self.line_ends) {
                (b'\r', ends) => ends,
                (b'\n', Some(_)) if self.line_ends == Some(1) => return true,
                (b'\n', ends) => ends.map(|_| 1),
                _ => Some(0),
            };
        }
        false
    }
}

impl Guest {
    fn new(stream: Box<dyn Stream>, place: Option<OwnedSemaphorePermit>) -> Self {
        let closes = Box::pin(tokio::time::sleep(IDLE_LIMIT));
        Self { stream, closes, reading: Reading::Nothing, _place: place }
    }

    /// Something moved, or a limit is over, or neither.
    fn watch<T>(&mut self, context: &mut Context<'_>, moved: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if moved.is_ready() {
            let at = match self.reading {
                Reading::Nothing | Reading::Rest => Instant::now() + IDLE_LIMIT,
                Reading::Head(head) => head.by,
            };
            self.closes.as_mut().reset(at);
            return moved;
        }
        match self.closes.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Follows what came; too long a head ends the connection.
    fn follow(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut head = match self.reading {
            Reading::Nothing if bytes.is_empty() => return Ok(()),
            Reading::Nothing => Head::new(Instant::now()),
            Reading::Head(head) => head,
            Reading::Rest => return Ok(()),
        };
        self.reading = if head.take(bytes) { Reading::Rest } else { Reading::Head(head) };
        if head.bytes > HEAD_BYTES_MAX { Err(io::ErrorKind::InvalidData.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let mut moved = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = moved {
            let came = buffer.filled().get(before..).unwrap_or_default();
            moved = Poll::Ready(self.follow(came));
        }
        self.watch(context, moved)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write(context, bytes);
        if moved.is_ready() {
            // An answer: what comes next begins a request.
            self.reading = Reading::Nothing;
        }
        self.watch(context, moved)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
