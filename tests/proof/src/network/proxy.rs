//! A bad network between terminal and gateway: TCP connections that are refused, cut in the middle of a byte stream, slowed
//! down, or left hanging. Which and where is drawn from a seed.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::dice::Dice;

/// A cut comes within so many bytes: a request with its head is about 1,500.
const CUT_BYTES: u64 = 2_500;

/// Longer than this nothing is held up; the terminal's own limit is a second or more.
const DELAY_MS: u64 = 150;

/// One connection in so many has a hard fate.
const FATES: u64 = 16;

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Fair,
    Refused,
    /// After so many bytes to the gateway: perhaps a request is whole, perhaps not.
    CutUp(u64),
    /// After so many bytes back: the gateway has carried out, the terminal does not know.
    CutDown(u64),
    Slow(u64),
}

/// A network that can be bad.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: OnceLock<SocketAddr>,
    dice: Mutex<Dice>,
    fair: AtomicBool,
    harmed: AtomicU64,
}

impl Proxy {
    /// Listens on loopback. Until it [leads](Self::lead_to) somewhere, everybody is refused.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub async fn start(seed: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let dice = Mutex::new(Dice::new(seed));
        let (upstream, fair, harmed) = (OnceLock::new(), AtomicBool::new(false), AtomicU64::new(0));
        let shared = Arc::new(Shared { upstream, dice, fair, harmed });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it leads to `upstream`. A second word is not taken.
    pub fn lead_to(&self, upstream: SocketAddr) {
        let _second = self.shared.upstream.set(upstream);
    }

    /// From now on nothing goes wrong.
    pub fn clear_up(&self) {
        self.shared.fair.store(true, Ordering::SeqCst);
    }

    /// Connections that were harmed.
    #[must_use]
    pub fn harmed(&self) -> u64 {
        self.shared.harmed.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((terminal, _)) = listener.accept().await {
        let Some(upstream) = shared.upstream.get().copied() else { continue };
        let fate = shared.fate();
        if fate != Fate::Fair {
            shared.harmed.fetch_add(1, Ordering::SeqCst);
        }
        tokio::spawn(carry(terminal, upstream, fate));
    }
}

impl Shared {
    fn fate(&self) -> Fate {
        if self.fair.load(Ordering::SeqCst) {
            return Fate::Fair;
        }
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        match dice.roll(FATES) {
            0 => Fate::Refused,
            1 | 2 => Fate::CutUp(dice.roll(CUT_BYTES)),
            3..=6 => Fate::CutDown(dice.roll(CUT_BYTES)),
            7 => Fate::Slow(dice.roll(DELAY_MS)),
            _ => Fate::Fair,
        }
    }
}

async fn carry(terminal: TcpStream, upstream: SocketAddr, fate: Fate) {
    if fate == Fate::Refused {
        return;
    }
    let Ok(gateway) = TcpStream::connect(upstream).await else {
        return;
    };
    // What is refused here is only slower.
    let _plain = (terminal.set_nodelay(true), gateway.set_nodelay(true));
    let (up_max, down_max, delay_ms) = match fate {
        Fate::Fair | Fate::Refused => (u64::MAX, u64::MAX, 0),
        Fate::CutUp(bytes) => (bytes, u64::MAX, 0),
        Fate::CutDown(bytes) => (u64::MAX, bytes, 0),
        Fate::Slow(ms) => (u64::MAX, u64::MAX, ms),
    };
    let (from_terminal, to_terminal) = terminal.into_split();
    let (from_gateway, to_gateway) = gateway.into_split();
    let delay = Duration::from_millis(delay_ms);
    // The first side that ends, ends the connection for both.
    tokio::select! {
        () = copy(from_terminal, to_gateway, up_max, delay) => {}
        () = copy(from_gateway, to_terminal, down_max, delay) => {}
    }
}

async fn copy(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, max: u64, delay: Duration) {
    let mut left = max;
    let mut piece = [0; 4096];
    while left > 0 {
        let Ok(read @ 1..) = from.read(&mut piece).await else {
            return;
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let read = usize::try_from(left).unwrap_or(usize::MAX).min(read);
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
        left -= u64::try_from(read).unwrap_or(left);
    }
}
