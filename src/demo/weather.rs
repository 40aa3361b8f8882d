//! The bad-weather panel: a few switches that hold for all gateways at once, and one for Alipay's alone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sandbox::{Control, Fault, Method, Weather};
use sandbox::{allinpay, wechat};
use serde::{Deserialize, Serialize};
use wechat::Operation;

use super::scene::Scene;

/// The switches as they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Switches {
    /// Nobody answers.
    pub network_down: bool,
    /// Alipay does not answer; the others do.
    pub alipay_away: bool,
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
    /// See [`Switches::alipay_away`].
    AlipayAway(bool),
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
    /// With one switch turned.
    #[must_use]
    pub fn turned(mut self, turn: Turn) -> Self {
        match turn {
            Turn::NetworkDown(down) => self.network_down = down,
            Turn::AlipayAway(away) => self.alipay_away = away,
            Turn::SlowS(seconds) => self.slow_s = seconds.min(60),
            Turn::Lose(lose) => self.lose = lose,
            Turn::LateS(seconds) => self.late_s = seconds.min(600),
            Turn::Ask(ask) => self.ask = ask,
            Turn::BadSignature(bad) => self.bad_signature = bad,
        }
        self
    }

    fn slow_ms(self) -> Option<u64> {
        (self.slow_s > 0).then(|| self.slow_s * 1000)
    }

    fn late_ms(self) -> Option<u64> {
        (self.late_s > 0).then(|| self.late_s * 1000)
    }

    /// At Alipay.
    fn alipay(self) -> Weather {
        let lost = match self.lose {
            Lose::None => None,
            Lose::Pay => Some(Fault::DropReply.on(Method::Pay).times(1)),
            Lose::Any => Some(Fault::DropReply.times(1)),
        };
        let all = [
            self.slow_ms().map(|ms| Fault::SlowReply(ms).into()),
            lost,
            self.late_ms().map(|ms| Fault::PaysLate { ms, despite_close: true }.into()),
            self.ask.then(|| Fault::BuyerConfirms.on(Method::Pay)),
            self.bad_signature.then(|| Fault::BadSignature.into()),
        ];
        let network_down = self.network_down || self.alipay_away;
        Weather { network_down, conditions: all.into_iter().flatten().collect() }
    }

    /// At WeChat Pay.
    fn wechat(self) -> wechat::Weather {
        use wechat::Fault;

        let lost = match self.lose {
            Lose::None => None,
            Lose::Pay => Some(Fault::DropReply.on(Operation::CodePay).times(1)),
            Lose::Any => Some(Fault::DropReply.times(1)),
        };
        let all = [
            self.slow_ms().map(|ms| Fault::SlowReply(ms).into()),
            lost,
            self.late_ms().map(|ms| Fault::PaysLate { ms, despite_close: true }.into()),
            self.ask.then(|| Fault::BuyerConfirms.on(Operation::CodePay)),
            self.bad_signature.then(|| Fault::BadSignature.into()),
        ];
        let conditions = all.into_iter().flatten().collect();
        wechat::Weather { network_down: self.network_down, conditions, ..wechat::Weather::fair() }
    }

    /// At Allinpay.
    fn allinpay(self) -> allinpay::Weather {
        use allinpay::{Fault, Method};

        let lost = match self.lose {
            Lose::None => None,
            Lose::Pay => Some(Fault::DropReply.on(Method::ScanQrPay).times(1)),
            Lose::Any => Some(Fault::DropReply.times(1)),
        };
        let all = [
            self.slow_ms().map(|ms| Fault::SlowReply(ms).into()),
            lost,
            self.late_ms().map(|ms| Fault::PaysLate { ms, despite_close: true }.into()),
            self.ask.then(|| Fault::BuyerConfirms.on(Method::ScanQrPay)),
            self.bad_signature.then(|| Fault::BadSignature.into()),
        ];
        allinpay::Weather { network_down: self.network_down, conditions: all.into_iter().flatten().collect() }
    }
}

/// The weather over all gateways.
pub struct Sky {
    alipay: Control,
    wechat: Option<wechat::Control>,
    allinpay: Option<allinpay::Control>,
    switches: Mutex<Switches>,
}

impl Sky {
    /// Fair weather over the gateways of a scene.
    #[must_use]
    pub fn over(scene: &Scene) -> Self {
        Self {
            alipay: scene.gateway.control(),
            wechat: scene.wechat.as_ref().map(wechat::Gateway::control),
            allinpay: scene.vsp.as_ref().map(allinpay::VspGateway::control),
            switches: Mutex::default(),
        }
    }

    /// The switches as they stand. A reply that was to be lost at the first gateway that gives one is lost once.
    #[must_use]
    pub fn switches(&self) -> Switches {
        let mut switches = self.locked();
        if switches.lose != Lose::None && self.has_lost_one() {
            switches.lose = Lose::None;
            self.make(*switches);
        }
        *switches
    }

    /// Turns one switch.
    pub fn turn(&self, turn: Turn) -> Switches {
        let mut switches = self.locked();
        *switches = switches.turned(turn);
        self.make(*switches);
        *switches
    }

    fn has_lost_one(&self) -> bool {
        let alipay = self.alipay.weather().conditions.iter().any(|each| each.fault == Fault::DropReply);
        let wechat = self.wechat.as_ref().is_none_or(|control| {
            control.weather().conditions.iter().any(|each| each.fault == wechat::Fault::DropReply)
        });
        let allinpay = self.allinpay.as_ref().is_none_or(|control| {
            control.weather().conditions.iter().any(|each| each.fault == allinpay::Fault::DropReply)
        });
        !(alipay && wechat && allinpay)
    }

    fn make(&self, switches: Switches) {
        self.alipay.set_weather(switches.alipay());
        if let Some(control) = &self.wechat {
            control.set_weather(switches.wechat());
        }
        if let Some(control) = &self.allinpay {
            control.set_weather(switches.allinpay());
        }
    }

    fn locked(&self) -> MutexGuard<'_, Switches> {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::channels::ChannelOptions;
    use super::super::scene::SceneOptions;
    use super::*;
    use payment::channel::ChannelId;

    const ALL_TURNED: [Turn; 6] = [
        Turn::NetworkDown(true),
        Turn::SlowS(3),
        Turn::Lose(Lose::Pay),
        Turn::LateS(90),
        Turn::Ask(true),
        Turn::BadSignature(true),
    ];

    async fn scene(dir: &std::path::Path) -> Scene {
        let mut options = SceneOptions::quick(dir);
        options.channels = ChannelOptions::of([ChannelId::Alipay, ChannelId::Wechat, ChannelId::AllinpayVsp]);
        Scene::set(options).await.unwrap()
    }

    #[test]
    fn the_weather_is_the_same_at_every_gateway() {
        let switches = ALL_TURNED.into_iter().fold(Switches::default(), Switches::turned);
        let (alipay, wechat, allinpay) = (switches.alipay(), switches.wechat(), switches.allinpay());
        assert!(alipay.network_down && wechat.network_down && allinpay.network_down);
        assert_eq!((alipay.conditions.len(), wechat.conditions.len(), allinpay.conditions.len()), (5, 5, 5));
        let fair = Switches::default();
        assert_eq!(fair.alipay(), Weather::fair());
        assert_eq!(fair.wechat(), wechat::Weather::fair());
        assert_eq!(fair.allinpay(), allinpay::Weather::fair());
    }

    #[test]
    fn alipay_alone_can_be_away() {
        let away = Switches::default().turned(Turn::AlipayAway(true));
        assert!(away.alipay().network_down);
        assert!(!away.wechat().network_down && !away.allinpay().network_down);
    }

    #[tokio::test]
    async fn one_reply_is_lost_not_one_at_each_gateway() {
        let folder = tempfile::tempdir().unwrap();
        let scene = scene(folder.path()).await;
        let sky = Sky::over(&scene);
        sky.turn(Turn::Lose(Lose::Any));
        assert_eq!(sky.switches().lose, Lose::Any);
        // WeChat Pay has lost its reply.
        scene.wechat.as_ref().unwrap().control().set_weather(wechat::Weather::fair());
        assert_eq!(sky.switches().lose, Lose::None);
        assert_eq!(scene.gateway.control().weather(), Weather::fair());
        assert_eq!(scene.vsp.as_ref().unwrap().control().weather(), allinpay::Weather::fair());
    }
}
