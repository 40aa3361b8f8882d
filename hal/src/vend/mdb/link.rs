//! What an adapter of either kind tells the controller and takes from it.

use std::time::Duration;

/// What was heard from the machine, through whichever adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The machine has enabled us, and no session is open.
    Up {
        /// A selection needs no session before it.
        always_idle: bool,
    },
    /// It has not, or not any more.
    Down(Trouble),
    /// Machine or adapter began anew: what was approved is undecided, everything else is over.
    Reset,
    /// The machine shows the credit.
    SessionOpen,
    /// The session is closed.
    SessionOver,
    /// The buyer selected; [`UNKNOWN`](super::money::UNKNOWN) where the machine does not say.
    Request { price: u16, item: u16 },
    /// The request is over, and no approval for it got out or ever will.
    Withdrawn,
    /// The item of the approved request was delivered.
    Success,
    /// It was not.
    Failure,
    /// The machine went on without a word on the approved request.
    Lost,
    /// The machine sold by itself.
    CashSale { price: u16, item: u16 },
}

/// Why the machine cannot be sold at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The adapter says nothing.
    Silent,
    /// The adapter is there, and the machine does not speak to it.
    NotPolled,
    /// The machine knows us and keeps us switched off.
    Disabled,
}

impl Trouble {
    /// For the person in front of the machine.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Silent => {
                "the MDB adapter does not answer: look at its power and its cable, and that adapter in [vend.mdb] names \
                 its kind"
            }
            Self::NotPolled => {
                "the machine does not speak to the MDB reader: look at the MDB cable, enable the cashless device in the \
                 machine's menu, and switch the machine off and on"
            }
            Self::Disabled => {
                "the machine has switched its cashless reader off: look for a fault on its display, close its door, leave \
                 its service menu; if that does not help, switch it off and on"
            }
        }
    }
}

/// An adapter: bytes, time and orders in, bytes and [`Heard`] out.
pub(crate) trait Link: Send {
    /// The port is open.
    fn opened(&mut self, now: Duration);
    /// The port is gone; nothing that waited is sent any more.
    fn closed(&mut self);
    /// Bytes came, cut anywhere.
    fn received(&mut self, now: Duration, bytes: &[u8]);
    /// Something is due.
    fn woken(&mut self, now: Duration);
    /// When.
    fn due(&self) -> Option<Duration>;
    /// The next bytes to send.
    fn to_send(&mut self, now: Duration) -> Option<Vec<u8>>;
    /// The next thing that was heard.
    fn heard(&mut self) -> Option<Heard>;
    /// Opens a session with this credit in steps. Nothing happens when the machine is not [up](Heard::Up).
    fn begin(&mut self, now: Duration, credit: u16);
    /// Approves the open request. Called at most once for a request.
    fn approve(&mut self, now: Duration, steps: u16);
    /// Takes back an approval that has not left: true, and it never will. False: the machine may have it.
    fn take_back(&mut self, now: Duration) -> bool;
    /// Denies the open request.
    fn deny(&mut self, now: Duration);
    /// Ends the open session, or takes back the credit that is not shown yet.
    fn finish(&mut self, now: Duration);
}
