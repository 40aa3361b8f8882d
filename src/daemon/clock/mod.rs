//! The only clock of the daemon: monotonic time for deadlines, wall time with the word whether to believe it.
//!
//! [`trust`] decides from what witnesses say; this asks them. At the start and while the wall clock is not believed the
//! kernel and the clock chip are looked at, and a server is asked for its date, at growing pauses. Once it is believed,
//! channels' answers keep it so for nothing, and the kernel itself wakes the loop when somebody sets the clock.

pub mod dates;
pub mod trust;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hal::clock::SetWatch;
use payment::time::{Mono, Now, Wall};
use tokio::sync::watch;

use dates::{Dates, News};
use trust::{Local, Reading, Trust, Verdict};

/// The longest pause between two looks while the clock is not believed: every minute without sales is a loss.
const LOOK_MAX_MS: u64 = 60_000;

/// The longest pause between two questions while it is believed and only growing old.
const RENEW_MAX_MS: u64 = 3_600_000;

/// Monotonic time since the start, and wall time with the word whether to trust it. Cheap to clone; all clones agree.
#[derive(Debug, Clone)]
pub struct Clock {
    started: Instant,
    trust: Arc<RwLock<Trust>>,
    dates: Dates,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn start(newest: Option<Wall>, dates: Dates) -> Self {
        Self { started: Instant::now(), trust: Arc::new(RwLock::new(Trust::new(newest))), dates }
    }

    /// Both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        let reading = reading();
        let trusted = matches!(self.trust().verdict(reading), Verdict::Trusted(_));
        Now { mono: Mono(millis(self.started.elapsed())), wall: Wall { ms: reading.wall, trusted } }
    }

    /// The instant of a moment, for the runtime's timers.
    #[must_use]
    pub fn instant(&self, at: Mono) -> Instant {
        self.started + Duration::from_millis(at.0)
    }

    /// Where answers' dates are handed in.
    #[must_use]
    pub fn dates(&self) -> Dates {
        self.dates.clone()
    }

    fn trust(&self) -> Trust {
        *self.trust.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Trust)) {
        change(&mut self.trust.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Who keeps the clock honest; the loop owns it.
#[derive(Debug)]
pub struct Timekeeper {
    clock: Clock,
    news: watch::Receiver<News>,
    /// Why the last server that was asked said nothing.
    trouble: Option<String>,
    /// `None` where the kernel cannot tell: then a look at the next wake is all there is.
    set: Option<SetWatch>,
    look: Look,
}

/// What calls for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stir {
    /// A server's answer, or that there was none.
    Heard,
    /// Somebody set the wall clock.
    Set,
}

/// When to look for evidence again.
#[derive(Debug)]
struct Look {
    first_ms: u64,
    tries: u32,
    at: Option<Mono>,
}

impl Timekeeper {
    /// Starts now. `newest` is the journal's newest entry; `plain_counts` lets answers without TLS tell the time, which
    /// only pretend money may; `first_ms` is the first pause between two looks.
    #[must_use]
    pub fn start(newest: Option<Wall>, plain_counts: bool, first_ms: u64) -> Self {
        let dates = Dates::new(plain_counts);
        let set = SetWatch::start();
        if let Err(error) = &set {
            tracing::info!(%error, "the kernel cannot tell when the clock is set: it is seen at the next wake");
        }
        Self {
            news: dates.news(),
            clock: Clock::start(newest, dates),
            trouble: None,
            set: set.ok(),
            look: Look { first_ms: first_ms.max(1), tries: 0, at: None },
        }
    }

    /// Both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// The same for others to read.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Who confirmed the time, or why it is not believed.
    #[must_use]
    pub fn words(&self) -> String {
        match (self.clock.trust().verdict(reading()), &self.trouble) {
            (verdict @ Verdict::Distrusted(_), Some(trouble)) => format!("{verdict} ({trouble})"),
            (verdict, _) => verdict.to_string(),
        }
    }

    /// Takes in what was heard, and looks at the machine's own evidence when that is due. `true`: a server is to be asked
    /// for the time now.
    pub fn attend(&mut self) -> bool {
        self.take_in_news();
        let now = self.now();
        if self.is_sure(now) {
            self.look.rest();
            return false;
        }
        if self.look.at.is_some_and(|at| at > now.mono) {
            return false;
        }
        self.clock.change(|trust| trust.look(reading(), evidence()));
        let now = self.now();
        if self.is_sure(now) {
            self.look.rest();
            return false;
        }
        self.look.later(now);
        true
    }

    /// When to attend to it again.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        let renew = || self.clock.trust().ask_again_at().map(|at| self.now().mono.plus(left(reading().since_boot, at)));
        self.look.at.or_else(renew)
    }

    /// Waits for something that calls for attention.
    pub async fn stirred(&self) -> Stir {
        let mut news = self.news.clone();
        let set = async {
            match &self.set {
                Some(watch) => watch.set().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Ok(()) = news.changed() => Stir::Heard,
            () = set => Stir::Set,
        }
    }

    /// Takes in what stirred it; [`Timekeeper::attend`] does the rest.
    pub fn note(&mut self, stir: Stir) {
        match stir {
            Stir::Heard => {}
            // Whoever set it may have set it right: no pause is waited for.
            Stir::Set => self.look.rest(),
        }
    }

    fn take_in_news(&mut self) {
        if !self.news.has_changed().unwrap_or(false) {
            return;
        }
        let news = self.news.borrow_and_update().clone();
        self.trouble = news.trouble;
        if let Some(heard) = news.heard {
            self.clock.change(|trust| trust.heard(heard.server, heard.date, heard.since_boot));
        }
    }

    /// Believed, and not on an old word.
    fn is_sure(&self, now: Now) -> bool {
        now.wall.trusted && self.clock.trust().ask_again_at().is_some_and(|at| reading().since_boot < at)
    }
}

impl Look {
    fn rest(&mut self) {
        (self.tries, self.at) = (0, None);
    }

    fn later(&mut self, now: Now) {
        let longest = if now.wall.trusted { RENEW_MAX_MS } else { LOOK_MAX_MS };
        let factor = 1_u64.checked_shl(self.tries).unwrap_or(u64::MAX);
        self.tries = self.tries.saturating_add(1).min(40);
        self.at = Some(now.mono.plus(self.first_ms.saturating_mul(factor).min(longest)));
    }
}

/// The machine's own clock, for a command that a person gives and that no daemon vouches for. Not trusted by itself.
#[must_use]
pub fn system_wall() -> Wall {
    Wall { ms: reading().wall, trusted: false }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn reading() -> Reading {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let wall = i64::try_from(since_1970.as_millis()).unwrap_or(0);
    Reading { since_boot: hal::clock::since_boot_ms(), wall }
}

fn evidence() -> Local {
    let synchronised = hal::clock::is_synchronised();
    Local { synchronised, chip: hal::clock::clock_chip().map(|chip| chip.ms) }
}

fn left(now: i64, until: i64) -> u64 {
    u64::try_from(until.saturating_sub(now)).unwrap_or(0)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn now(mono: u64, trusted: bool) -> Now {
        Now { mono: Mono(mono), wall: Wall { ms: 0, trusted } }
    }

    #[test]
    fn looks_grow_apart_up_to_a_minute_and_start_over_when_all_is_well() {
        let mut look = Look { first_ms: 5_000, tries: 0, at: None };
        let mut pauses = Vec::new();
        for _ in 0..6 {
            look.later(now(0, false));
            pauses.extend(look.at.map(|at| at.0));
        }
        assert_eq!(pauses, [5_000, 10_000, 20_000, 40_000, MINUTE, MINUTE]);
        look.rest();
        look.later(now(0, false));
        assert_eq!(look.at, Some(Mono(5_000)));
    }

    #[test]
    fn a_clock_that_only_grows_old_is_asked_after_once_an_hour() {
        let mut look = Look { first_ms: 5_000, tries: 30, at: None };
        look.later(now(0, true));
        assert_eq!(look.at, Some(Mono(60 * MINUTE)));
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_named_in_the_reason() {
        let clock = Timekeeper::start(None, false, 5_000);
        assert!(!clock.now().wall.trusted, "nobody has confirmed it");
        let mut asked = Timekeeper::start(None, false, 5_000);
        asked.clock().dates().silent("alipay: connection refused".to_owned());
        asked.stirred().await;
        asked.take_in_news();
        assert!(asked.words().ends_with("(alipay: connection refused)"), "{}", asked.words());
    }

    #[tokio::test]
    async fn after_a_look_the_next_one_is_planned_whatever_it_found() {
        let mut clock = Timekeeper::start(None, false, 5_000);
        let asks = clock.attend();
        assert_eq!(asks, !clock.now().wall.trusted);
        assert!(!clock.attend(), "one question at a time");
        assert!(clock.deadline().is_some());
    }
}
