//! How the queue to the hub stands, for people and programs.

use payment::time::Mono;

use crate::journal::SyncStatus;

/// The queue and the link, as `till queue` shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStatus {
    /// What waits, what is set aside, and how much disk it takes.
    pub status: SyncStatus,
    /// How the link does.
    pub link: LinkStatus,
    /// At so many bytes of journal the terminal stops selling.
    pub limit_bytes: u64,
}

/// How the link does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStatus {
    /// What it does now.
    pub state: LinkState,
    /// When the hub last took entries or answered a poll, milliseconds since 1970.
    pub last_success_ms: Option<i64>,
    /// In how many milliseconds it tries again.
    pub next_try_in_ms: Option<u64>,
    /// What keeps it from the hub, and what to do about it.
    pub trouble: Option<String>,
}

/// What the link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkState {
    /// There is no hub in the settings.
    #[default]
    Off,
    /// The hub has everything.
    Idle,
    /// A batch is on its way.
    Sending,
    /// Entries wait: for more of the same sale, for the hub, or for a clock that is trusted.
    Waiting,
    /// A person has to look; it is tried again all the same.
    Refused,
}

impl LinkState {
    /// The word in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Idle => "idle",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
        }
    }
}

/// The same as the leaf tells it: moments on the daemon's own clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkNews {
    /// What it does now.
    pub state: LinkState,
    /// When the hub last answered as wished, milliseconds since 1970.
    pub last_success_ms: Option<i64>,
    /// When it tries again.
    pub next_try: Option<Mono>,
    /// What keeps it from the hub.
    pub trouble: Option<String>,
}

impl LinkNews {
    /// For a person, at `now`.
    #[must_use]
    pub fn at(&self, now: Mono) -> LinkStatus {
        LinkStatus {
            state: self.state,
            last_success_ms: self.last_success_ms,
            next_try_in_ms: self.next_try.map(|at| now.until(at)),
            trouble: self.trouble.clone(),
        }
    }
}

/// What the daemon tells the leaf, beside new entries. The numbers only count: a change is what matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nudges {
    /// Somebody wants it sent now.
    pub send_now: u64,
    /// A channel is in reach again.
    pub link_back: u64,
    /// The fault `hub` was cleared, by a technician or by the link itself.
    pub hub_cleared: u64,
    /// The wall clock is trusted.
    pub clock_trusted: bool,
}
