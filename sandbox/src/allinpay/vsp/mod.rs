//! 收银宝 VSP, interface "apiweb" (reference/allinpay.md 2).

mod fields;
mod form;
mod keys;
mod method;
mod notice;
mod open;
pub mod options;
mod reply;
mod sign;
mod statement;

use std::io;
use std::net::SocketAddr;

pub use keys::{VspKeys, vsp_keys};
pub use options::{ClosePath, SignType, VspOptions};

use super::control::Control;
use super::gateway::Running;
use super::http::{Dress, Incoming, Moment, Opened, Protocol, Refusal, Reply, Said, Verdict};
use super::notice::Notice;
use super::world::World;
use keys::GatewayKeys;
use open::Asked;

/// A running VSP gateway. It ends when it is stopped or dropped.
pub struct VspGateway(Running);

impl VspGateway {
    /// Binds a port of 127.0.0.1 and serves there, in the runtime that calls this.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub async fn start(options: VspOptions) -> io::Result<Self> {
        let house = options.house.clone();
        let protocol = |address| Ok(Vsp { keys: GatewayKeys::load(&options)?, address, options });
        Running::start(house, protocol).map(Self)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// The base of the paths that begin with `/unitorder` and `/tranx`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/apiweb", self.address())
    }

    /// The base of `/merchantapi/addterm` and `/trxfile/get`, which live on another host in production.
    #[must_use]
    pub fn cus_url(&self) -> String {
        format!("http://{}/cusapi", self.address())
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
struct Vsp {
    options: VspOptions,
    keys: GatewayKeys,
    address: SocketAddr,
}

impl Protocol for Vsp {
    type Asked = Asked;

    fn open(&self, incoming: &Incoming, _now: i64) -> Opened<Asked> {
        open::open(self, incoming)
    }

    fn execute(&self, world: &mut World, asked: &Asked, moment: Moment<'_>) -> Result<Said, Refusal> {
        method::execute(self, world, asked, moment)
    }

    fn reply(&self, opened: &Opened<Asked>, verdict: Verdict<'_>, _now: i64, dress: Dress) -> Reply {
        reply::reply(self, opened, &verdict, dress)
    }

    fn notice(&self, notice: &Notice, _now: i64, dress: Dress) -> (&'static str, String) {
        notice::write(self, notice, dress)
    }
}
