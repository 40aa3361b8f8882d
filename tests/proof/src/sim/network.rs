//! The way to the channel: what becomes of each call is drawn from the life's dice and the weather.

use payment::channel::outcome::DoubtKind;

use crate::dice::Dice;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives after so long, and its reply comes back, perhaps unusable.
    Arrives {
        /// How long it takes.
        there_ms: u64,
        /// What the reply looks like, if it cannot be used.
        garbled: Option<DoubtKind>,
    },
    /// No connection.
    Refused {
        /// When that is known.
        after_ms: u64,
    },
    /// It never arrives, and no answer comes.
    Lost,
    /// It arrives, perhaps very late, and nobody hears the reply.
    Unheard {
        /// How long it takes.
        there_ms: u64,
        /// Whether the daemon's client says so; if not, even that is lost.
        told: bool,
    },
}

/// The weather on the way. Each number is how many of 100 calls it hits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// Nothing gets through.
    pub down: bool,
    /// Lost on the way there.
    pub lost: u64,
    /// The reply is lost.
    pub unheard: u64,
    /// Arrives after the client gave up.
    pub late: u64,
    /// The reply cannot be used.
    pub garbled: u64,
    /// The reply comes twice.
    pub doubled: u64,
    /// Extra time on the way there.
    pub slow_ms: u64,
}

/// The way to the channel.
#[derive(Debug)]
pub struct Network {
    /// The weather now.
    pub weather: Weather,
    dice: Dice,
}

const GARBLED: [DoubtKind; 5] = [
    DoubtKind::ChannelTrouble,
    DoubtKind::BadSignature,
    DoubtKind::Malformed,
    DoubtKind::Unlisted,
    DoubtKind::WrongOrder,
];

impl Network {
    /// A way in fine weather.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { weather: Weather::default(), dice: Dice::new(seed) }
    }

    /// What becomes of a call, and the name of what was done to it.
    pub fn fate(&mut self, is_probe: bool) -> (Fate, Option<&'static str>) {
        let weather = self.weather;
        let there_ms = 20 + self.dice.roll(100) + weather.slow_ms;
        if weather.down {
            return (Fate::Refused { after_ms: 1 + self.dice.roll(5_000) }, Some("no connection"));
        }
        let fine = Fate::Arrives { there_ms, garbled: None };
        if is_probe {
            return (fine, None);
        }
        let mut left = self.dice.roll(100);
        let mut hits = |percent: u64| {
            let hit = left < percent;
            left = if hit { u64::MAX } else { left - percent };
            hit
        };
        if hits(weather.lost) {
            return match self.dice.roll(2) {
                0 => (Fate::Refused { after_ms: 1 + self.dice.roll(5_000) }, Some("call lost on the way there")),
                _ => (Fate::Lost, Some("call lost without a word")),
            };
        }
        if hits(weather.unheard) {
            let told = !self.dice.one_in(4);
            let kind = if told { "reply lost" } else { "reply and time-out lost" };
            return (Fate::Unheard { there_ms, told }, Some(kind));
        }
        if hits(weather.late) {
            let there_ms = 10_000 + self.dice.roll(110_000);
            return (Fate::Unheard { there_ms, told: true }, Some("call arrives after the time-out"));
        }
        if hits(weather.garbled) {
            let garbled = Some(*self.dice.pick(&GARBLED));
            return (Fate::Arrives { there_ms, garbled }, Some("reply unusable"));
        }
        (fine, None)
    }

    /// After how long the reply comes back, once or twice.
    pub fn replies(&mut self) -> Vec<u64> {
        let first = 20 + self.dice.roll(200);
        let doubled = self.dice.roll(100) < self.weather.doubled;
        let second = doubled.then(|| first + self.dice.roll(20_000));
        [Some(first), second].into_iter().flatten().collect()
    }
}
