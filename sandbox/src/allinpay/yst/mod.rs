//! 云商通, generation 2 (reference/allinpay.md 3 and 5).
//!
//! The codes of failures are not published (reference/allinpay.md 8 point 12). The sandbox says those of generation 1,
//! which are: 10xxx parameters, 20xxx application and keys, 30xxx members, 40xxx orders. Build nothing on them.

mod envelope;
mod fields;
mod file;
mod keys;
mod method;
mod notice;
pub mod options;
mod paymode;
mod reply;
mod sm4_ecb;

use std::io;
use std::net::SocketAddr;

pub use keys::{YstKeys, yst_keys};
pub use options::{NoticeShape, YstOptions};

use super::control::Control;
use super::gateway::Running;
use super::http::{Dress, Incoming, Moment, Opened, Protocol, Refusal, Reply, Said, Verdict};
use super::notice::Notice;
use super::world::World;
use envelope::Asked;
use keys::GatewayKeys;

/// A running 云商通 gateway. It ends when it is stopped or dropped.
pub struct YstGateway(Running);

impl YstGateway {
    /// Binds a port of 127.0.0.1 and serves there, in the runtime that calls this.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub async fn start(options: YstOptions) -> io::Result<Self> {
        let house = options.house.clone();
        Running::start(house, |_| Ok(Yst { keys: GatewayKeys::load()?, options })).map(Self)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// The base of `/tx/handle`, `/tm/handle`, `/tq/handle` and `/file/download`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/yst-service-api", self.address())
    }

    /// The side that tests and the demo hold. It outlives the gateway.
    #[must_use]
    pub fn control(&self) -> Control {
        self.0.control()
    }

    /// Ends serving and frees the port. What the control side knows stays.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

/// The protocol with its keys.
struct Yst {
    options: YstOptions,
    keys: GatewayKeys,
}

impl Protocol for Yst {
    type Asked = Asked;

    fn open(&self, incoming: &Incoming, now: i64) -> Opened<Asked> {
        match incoming.path.strip_prefix("/yst-service-api") {
            Some("/file/download") => file::open(self, incoming),
            Some(path) => envelope::open(self, incoming, path, now),
            None => envelope::open(self, incoming, "", now),
        }
    }

    fn execute(&self, world: &mut World, asked: &Asked, moment: Moment<'_>) -> Result<Said, Refusal> {
        method::execute(self, world, asked, moment)
    }

    fn reply(&self, opened: &Opened<Asked>, verdict: Verdict<'_>, now: i64, dress: Dress) -> Reply {
        reply::reply(self, opened, &verdict, now, dress)
    }

    fn notice(&self, notice: &Notice, now: i64, dress: Dress) -> (&'static str, String) {
        notice::write(self, notice, now, dress)
    }
}
