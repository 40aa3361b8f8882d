//! What goes wrong, and when: the weather, the channel's moods, deaths, the disk, the machine and the clock.

use hal::sim::disk::Failure;
use payment::channel::outcome::Why;
use payment::engine::faults::Fault;
use payment::engine::input::Input;

use super::channel::Mood;
use super::death::{Death, Instant};
use super::network::Weather;
use super::people::{SLOTS, slot};
use super::world::{DAY, World};
use crate::dice::Dice;

/// What a life suffers from most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Climate {
    /// Little.
    Calm,
    /// The way to the channel.
    Network,
    /// The channel itself.
    Channel,
    /// Its process and its power.
    Deaths,
    /// Its disk.
    Disk,
    /// The machine and the scanner.
    Machine,
    /// Its clock.
    Clock,
    /// Everything at once.
    Storm,
}

impl Climate {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Calm, Self::Network, Self::Channel, Self::Deaths, Self::Disk, Self::Machine, Self::Clock, Self::Storm];
}

impl World {
    /// Something goes wrong, or becomes better.
    pub(super) fn trouble(&mut self, climate: Climate) {
        let all =
            [Climate::Network, Climate::Channel, Climate::Deaths, Climate::Disk, Climate::Machine, Climate::Clock];
        let climate = if matches!(climate, Climate::Calm | Climate::Storm) {
            *self.dice.pick(&all)
        } else if self.dice.one_in(5) {
            *self.dice.pick(&[climate, all[0], all[1], all[2], all[3], all[4], all[5]])
        } else {
            climate
        };
        match climate {
            Climate::Network => self.weather_turns(),
            Climate::Channel => self.mood_turns(),
            Climate::Deaths => self.death_comes(),
            Climate::Disk => self.disk_turns(),
            Climate::Machine => self.machine_turns(),
            Climate::Clock => self.clock_turns(),
            Climate::Calm | Climate::Storm => {}
        }
    }

    fn weather_turns(&mut self) {
        let mut weather = Weather::default();
        let percent = *self.dice.pick(&[5, 20, 60]);
        match self.dice.roll(9) {
            0 => weather.lost = percent,
            1 => weather.unheard = percent,
            2 => weather.late = percent,
            3 => weather.garbled = percent,
            4 => weather.doubled = percent,
            5 => weather.slow_ms = *self.dice.pick(&[500, 2_000, 8_000]),
            6 => weather.down = true,
            7 => {
                weather =
                    Weather { lost: 10, unheard: 10, late: 5, garbled: 10, doubled: 20, slow_ms: 300, down: false }
            }
            _ => {}
        }
        let ids = self.settings.channels.clone();
        let id = *self.dice.pick(&ids);
        if self.dice.one_in(3) {
            self.note(|| format!("weather everywhere: {weather:?}"));
            self.channels.set_weather(weather);
        } else if let Some((_, network)) = self.channels.one_mut(id) {
            network.weather = weather;
            self.note(|| format!("weather on the way to {}: {weather:?}", id.name()));
        }
    }

    fn mood_turns(&mut self) {
        let some = u32::try_from(self.dice.roll(4)).unwrap_or(0);
        let often = self.dice.one_in(2);
        let ids = self.settings.channels.clone();
        let Some((channel, _)) = self.channels.one_mut(*self.dice.pick(&ids)) else {
            return;
        };
        let mood = &mut channel.mood;
        let kind = match self.dice.roll(18) {
            roll @ 13..=17 => after_the_payment(mood, &mut self.dice, roll, some, often),
            0 => {
                mood.again = some;
                "cancels are to be repeated"
            }
            1 => {
                mood.refuses_refunds = often;
                "refunds refused"
            }
            2 => {
                mood.refuses_cancels = some;
                "cancels refused"
            }
            3 => {
                mood.short_of_funds = often;
                "balance short"
            }
            4 => {
                mood.refunds_take_ms = *self.dice.pick(&[0, 5_000, 1_800_000]);
                "refunds move later"
            }
            5 => {
                mood.tells_wrong_amounts = self.dice.one_in(3);
                "wrong amounts told"
            }
            6 => {
                mood.confirm_within_ms = *self.dice.pick(&[None, Some(20_000), Some(120_000)]);
                "unconfirmed trades closed"
            }
            7 => {
                let whys = [Why::NewNumber, Why::Order, Why::Buyer, Why::RefreshCode];
                mood.refuses_codes = Some((some, *self.dice.pick(&whys)));
                "codes refused"
            }
            8 => {
                mood.drops_refunds = some;
                "refunds taken and dropped"
            }
            9 => {
                mood.refuses_setup = self.dice.one_in(4);
                "set-up refused"
            }
            10 | 11 => {
                mood.fails = *self.dice.pick(&[5, 20, 60]);
                "calls fail with any code"
            }
            _ => {
                *mood = Mood::default();
                return;
            }
        };
        self.fault(kind);
    }

    fn death_comes(&mut self) {
        let left = self.dice.roll(6);
        let instants = [
            Instant::BeforeCommit(left),
            Instant::AfterCommit(left),
            Instant::BeforeEffect(left),
            Instant::AfterEffects(left),
        ];
        let instant = *self.dice.pick(&instants);
        let gap_ms = *self.dice.pick(&[300, 500, 2_000, 2_000, 20_000, 80_000, 600_000, DAY, 20 * DAY]);
        self.death = Some(Death { instant, power: self.dice.one_in(2), gap_ms });
    }

    fn machine_turns(&mut self) {
        let name = *self.dice.pick(&SLOTS);
        let name = slot(name);
        match self.dice.roll(8) {
            0 | 1 => {
                self.fault("slot jammed");
                self.machine.jammed.insert(name);
            }
            2 | 3 => {
                self.machine.jammed.remove(&name);
                let _taken = self.input(Input::Clear(Fault::Slot(name)));
            }
            4 => {
                self.fault("machine unplugged");
                self.machine.ready = false;
                let _taken = self.input(Input::Raise(Fault::Machine));
            }
            5 => {
                self.fault("scanner unplugged");
                let _taken = self.input(Input::Raise(Fault::Scanner));
            }
            6 => {
                let fault = self.dice.pick(&[Fault::SwitchedOff, Fault::Display]).clone();
                let clear = self.dice.one_in(2);
                let _taken = self.input(if clear { Input::Clear(fault) } else { Input::Raise(fault) });
            }
            _ => {
                self.devices_up();
                self.drain();
            }
        }
    }

    fn clock_turns(&mut self) {
        const SECOND: u64 = 1_000;
        const YEAR: u64 = 365 * DAY;
        if self.dice.one_in(2) {
            self.trusted = self.dice.one_in(2);
            return self.fault(if self.trusted { "clock trusted again" } else { "clock not trusted" });
        }
        let far = *self.dice.pick(&[SECOND, 60 * SECOND, 3_600 * SECOND, DAY, 30 * DAY, YEAR, 30 * YEAR]);
        let far = i64::try_from(1 + self.dice.roll(far)).unwrap_or(0);
        let back = self.dice.one_in(2);
        self.wall_shift += if back { -far } else { far };
        self.fault(if back { "clock jumps back" } else { "clock jumps forward" });
    }

    fn disk_turns(&mut self) {
        let after = self.dice.roll(40);
        let failures = [
            (Failure::Full, "disk finds no room"),
            (Failure::Write, "disk does not write"),
            (Failure::Sync, "disk does not sync"),
            (Failure::Read, "disk does not read"),
            (Failure::ReadOnly, "disk is read-only"),
        ];
        match self.dice.roll(8) {
            0..=4 => {
                let (failure, kind) = *self.dice.pick(&failures);
                self.fault(kind);
                self.disk.fails_after(after, failure);
            }
            5 => {
                self.fault("disk full");
                let room = self.dice.roll(60_000);
                self.disk.has_room_for(room);
            }
            _ => self.mend_disk(),
        }
    }

    /// The disk works again.
    pub(super) fn mend_disk(&mut self) {
        self.disk.heal();
    }
}

/// A channel's moods about money that goes back and deliveries that it is told of.
fn after_the_payment(mood: &mut Mood, dice: &mut Dice, roll: u64, some: u32, often: bool) -> &'static str {
    match roll {
        13 | 14 => {
            mood.fails_refunds = some;
            "refunds fail under their number"
        }
        15 => {
            mood.pending_ms = *dice.pick(&[0, 5_000, 70_000]);
            "payments told as on their way"
        }
        16 => {
            mood.refuses_duties = often;
            "deliveries not heard of"
        }
        _ => {
            mood.duties_again = some;
            "deliveries to be told again"
        }
    }
}
