//! The channels of one terminal, side by side, each with its own way there and its own weather.

use payment::channel::{Answer, ChannelId, Request};
use payment::ids::AttemptId;

use super::channel::{Channel, Mood};
use super::ledger::{Phones, Trade};
use super::network::{Fate, Network, Weather};
use crate::dice::Dice;

/// All of them.
#[derive(Debug)]
pub struct Channels {
    all: Vec<(Channel, Network)>,
    /// The pay codes of the buyers, which any channel may take.
    pub phones: Phones,
}

impl Channels {
    /// Those of `ids`, in fine weather.
    #[must_use]
    pub fn new(ids: &[ChannelId], seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let one = |id: &ChannelId| (Channel::new(*id, dice.roll(u64::MAX)), Network::new(dice.roll(u64::MAX)));
        Self { all: ids.iter().map(one).collect(), phones: Phones::default() }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.all.iter().map(|(channel, _)| channel)
    }

    /// Each of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Channel> {
        self.all.iter_mut().map(|(channel, _)| channel)
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: ChannelId) -> Option<&Channel> {
        self.iter().find(|channel| channel.id == id)
    }

    /// One of them, and the way there.
    pub fn one_mut(&mut self, id: ChannelId) -> Option<&mut (Channel, Network)> {
        self.all.iter_mut().find(|(channel, _)| channel.id == id)
    }

    /// The channel that has a trade under this number.
    pub fn holder_mut(&mut self, attempt: AttemptId) -> Option<&mut Channel> {
        self.iter_mut().find(|channel| channel.trades.contains_key(&attempt))
    }

    /// The trade under this number, at whichever channel.
    #[must_use]
    pub fn trade(&self, attempt: AttemptId) -> Option<&Trade> {
        self.iter().find_map(|channel| channel.trades.get(&attempt))
    }

    /// All trades.
    pub fn trades(&self) -> impl Iterator<Item = (AttemptId, &Trade)> {
        self.iter().flat_map(|channel| channel.trades.iter().map(|(attempt, trade)| (*attempt, trade)))
    }

    /// The trades that a buyer could still do something with.
    #[must_use]
    pub fn payable(&self) -> Vec<AttemptId> {
        self.iter().flat_map(Channel::payable).collect()
    }

    /// A request reaches its channel.
    pub fn execute(&mut self, id: ChannelId, request: &Request, sent: u64, now: u64) -> Option<Answer> {
        let (channel, _) = self.all.iter_mut().find(|(channel, _)| channel.id == id)?;
        Some(channel.execute(request, &mut self.phones, sent, now))
    }

    /// What becomes of a call on its way.
    pub fn fate(&mut self, id: ChannelId, is_probe: bool) -> Option<(Fate, Option<&'static str>)> {
        self.one_mut(id).map(|(_, network)| network.fate(is_probe))
    }

    /// After how long the reply of a channel comes back, once or twice.
    pub fn replies(&mut self, id: ChannelId) -> Vec<u64> {
        self.one_mut(id).map(|(_, network)| network.replies()).unwrap_or_default()
    }

    /// The same weather on every way.
    pub fn set_weather(&mut self, weather: Weather) {
        self.all.iter_mut().for_each(|(_, network)| network.weather = weather);
    }

    /// Every way is open again, whatever else the weather does.
    pub fn mend_ways(&mut self) {
        self.all.iter_mut().for_each(|(_, network)| network.weather.down = false);
    }

    /// Every channel is in the best of moods.
    pub fn cheer_up(&mut self) {
        self.iter_mut().for_each(|channel| channel.mood = Mood::default());
    }
}
