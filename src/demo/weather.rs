//! The bad-weather panel: a few switches over the gateway's weather.

use sandbox::{Condition, Fault, Method, Weather};
use serde::{Deserialize, Serialize};

/// The switches as they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Switches {
    /// Nobody answers.
    pub network_down: bool,
    /// Every answer waits so many seconds.
    pub slow_s: u64,
    /// Which answer is lost next.
    pub lose: Lose,
    /// What a buyer confirms arrives so many seconds later, even when the code was closed meanwhile.
    pub late_s: u64,
    /// A pay code is not enough: the phone asks.
    pub ask: bool,
    /// Answers come with a signature that does not hold.
    pub bad_signature: bool,
}

/// Which answer is lost next; the call is carried out all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lose {
    /// None.
    #[default]
    None,
    /// That of the next charge by pay code.
    Pay,
    /// That of the next call.
    Any,
}

/// One switch, turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// See [`Switches::network_down`].
    NetworkDown(bool),
    /// See [`Switches::slow_s`].
    SlowS(u64),
    /// See [`Switches::lose`].
    Lose(Lose),
    /// See [`Switches::late_s`].
    LateS(u64),
    /// See [`Switches::ask`].
    Ask(bool),
    /// See [`Switches::bad_signature`].
    BadSignature(bool),
}

impl Switches {
    /// The switches that make this weather.
    #[must_use]
    pub fn of(weather: &Weather) -> Self {
        let mut switches = Self { network_down: weather.network_down, ..Self::default() };
        for condition in &weather.conditions {
            switches.add(condition);
        }
        switches
    }

    fn add(&mut self, condition: &Condition) {
        match condition.fault {
            Fault::SlowReply(ms) => self.slow_s = ms / 1000,
            Fault::DropReply => {
                self.lose = match condition.method {
                    Some(_) => Lose::Pay,
                    None => Lose::Any,
                }
            }
            Fault::PaysLate { ms, .. } => self.late_s = ms / 1000,
            Fault::BuyerConfirms => self.ask = true,
            Fault::BadSignature => self.bad_signature = true,
            Fault::DropRequest
            | Fault::SlowRequest(_)
            | Fault::HttpStatus { .. }
            | Fault::UnsignedFailures
            | Fault::Unavailable { .. }
            | Fault::SubCode { .. }
            | Fault::CancelLater
            | Fault::RotatedCertificate => {}
        }
    }

    /// With one switch turned.
    #[must_use]
    pub fn turned(mut self, turn: Turn) -> Self {
        match turn {
            Turn::NetworkDown(down) => self.network_down = down,
            Turn::SlowS(seconds) => self.slow_s = seconds.min(60),
            Turn::Lose(lose) => self.lose = lose,
            Turn::LateS(seconds) => self.late_s = seconds.min(600),
            Turn::Ask(ask) => self.ask = ask,
            Turn::BadSignature(bad) => self.bad_signature = bad,
        }
        self
    }

    /// The weather that these switches make.
    #[must_use]
    pub fn weather(self) -> Weather {
        let slow = (self.slow_s > 0).then(|| Fault::SlowReply(self.slow_s * 1000).into());
        let lost = match self.lose {
            Lose::None => None,
            Lose::Pay => Some(Fault::DropReply.on(Method::Pay).times(1)),
            Lose::Any => Some(Fault::DropReply.times(1)),
        };
        let late = (self.late_s > 0).then(|| {
            let ms = self.late_s * 1000;
            let despite_close = true;
            Fault::PaysLate { ms, despite_close }.into()
        });
        let ask = self.ask.then(|| Fault::BuyerConfirms.on(Method::Pay));
        let bad = self.bad_signature.then(|| Fault::BadSignature.into());
        Weather {
            network_down: self.network_down,
            conditions: [slow, lost, late, ask, bad].into_iter().flatten().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_panel_shows_the_weather_that_it_made() {
        let turns = [
            Turn::NetworkDown(true),
            Turn::SlowS(3),
            Turn::Lose(Lose::Pay),
            Turn::LateS(90),
            Turn::Ask(true),
            Turn::BadSignature(true),
        ];
        let switches = turns.into_iter().fold(Switches::default(), Switches::turned);
        assert_eq!(Switches::of(&switches.weather()), switches);
        let any = Switches::default().turned(Turn::Lose(Lose::Any));
        assert_eq!(Switches::of(&any.weather()), any);
        assert_eq!(Switches::default().weather(), Weather::fair());
    }
}
