//! What a motor board is asked, and what its reply means.

use super::rtu::{self, READ, REFUSED, WRITE, WRITE_COIL};
use crate::board::{ModbusMap, ModbusSpec, RegisterSpec};

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// What do you do?
    State,
    /// Turn this motor. Sent once for a job.
    Run(u16),
    /// Forget your last result.
    Clear,
}

/// A reply to the question that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    State(Report),
    /// Done, or taken on.
    Taken,
    /// Certainly not done, and why.
    Refused(&'static str),
    /// Refused in a way that says nothing about the motor.
    Doubtful,
}

/// How a run ended, in the board's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The motor made its turn.
    Done,
    /// The motor did not get round.
    Jam,
    /// No motor turned, and why.
    Nothing(&'static str),
    /// A code that nobody listed.
    Unlisted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activity {
    Idle,
    Turning,
    Ended(End),
}

/// The board's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) activity: Activity,
    /// Which motor it speaks of, where it says so.
    pub(super) motor: Option<u16>,
    /// How many runs it started, where it counts.
    pub(super) runs: Option<u16>,
    /// Whether something fell since the motor was started; `None`: it has no sensor.
    pub(super) fell: Option<bool>,
}

/// One kind of board.
pub(super) enum Dialect {
    Registers { address: u8, map: RegisterSpec },
    Lane { address: u8, commands: LaneCommands, drop_sensor: bool },
}

/// The lane boards' commands: 03, 05, 06, or A3, A5, A6.
pub(super) struct LaneCommands {
    poll: u8,
    run: u8,
    forget: u8,
}

impl LaneCommands {
    fn from(base: u8) -> Self {
        Self { poll: base | 3, run: base | 5, forget: base | 6 }
    }
}

/// A coil that is switched on.
const ON: u16 = 0xFF00;
/// State, motor, result, peak (2), average (2), time; newer boards add the temperature.
const LANE_STATE: std::ops::RangeInclusive<usize> = 8..=9;

impl Dialect {
    pub(super) fn of(spec: &ModbusSpec) -> Self {
        let address = spec.address;
        let lane = |base| Self::Lane { address, commands: LaneCommands::from(base), drop_sensor: spec.drop_sensor };
        match spec.map {
            ModbusMap::Registers => Self::Registers { address, map: spec.registers.clone() },
            ModbusMap::Lane => lane(0x00),
            ModbusMap::Lane814 => lane(0xA0),
        }
    }

    /// Whether the board keeps its last result until it is told to forget it.
    pub(super) fn clears(&self) -> bool {
        match self {
            Self::Registers { map, .. } => map.clear.is_some(),
            Self::Lane { .. } => true,
        }
    }

    pub(super) fn request(&self, asked: Asked) -> Vec<u8> {
        match self {
            Self::Registers { address, map } => match asked {
                Asked::State => {
                    let (first, count) = map.reach();
                    rtu::words(*address, READ, first, count)
                }
                Asked::Run(number) if map.coils => rtu::words(*address, WRITE_COIL, map.run.saturating_add(number), ON),
                Asked::Run(number) => rtu::words(*address, WRITE, map.run, number),
                Asked::Clear => {
                    let (register, value) = map.clear.map_or((0, 0), |clear| (clear.register, clear.value));
                    rtu::words(*address, WRITE, register, value)
                }
            },
            Self::Lane { address, commands, .. } => match asked {
                Asked::State => rtu::frame(*address, commands.poll, &[]),
                Asked::Run(number) => rtu::frame(*address, commands.run, &[u8::try_from(number).unwrap_or(u8::MAX)]),
                Asked::Clear => rtu::frame(*address, commands.forget, &[]),
            },
        }
    }

    /// The reply to the question, if it is whole by now; what is not a reply to this question is passed over.
    pub(super) fn read(&self, asked: Asked, bytes: &[u8]) -> Option<Reply> {
        (0..bytes.len()).find_map(|start| self.read_at(asked, bytes.get(start..)?))
    }

    fn read_at(&self, asked: Asked, bytes: &[u8]) -> Option<Reply> {
        match self {
            Self::Registers { address, map } => {
                if bytes.first() != Some(address) {
                    return None;
                }
                self.read_refusal(asked, bytes).or_else(|| match asked {
                    Asked::State => read_registers(map, bytes),
                    // A reply to a write is the request again.
                    Asked::Run(_) | Asked::Clear => bytes.starts_with(&self.request(asked)).then_some(Reply::Taken),
                })
            }
            Self::Lane { address, commands, drop_sensor } => {
                // Newer boards reply with address 0.
                if !bytes.first().is_some_and(|from| from == address || *from == 0) {
                    return None;
                }
                let command = match asked {
                    Asked::State => commands.poll,
                    Asked::Run(_) => commands.run,
                    Asked::Clear => commands.forget,
                };
                if bytes.get(1) != Some(&command) {
                    return None;
                }
                match asked {
                    Asked::State => LANE_STATE
                        .filter_map(|data| rtu::whole(bytes, data + 4))
                        .find_map(|data| lane_state(data, *drop_sensor)),
                    // An adapter that hears itself hands us our own order first: slot 2's reads like "refused".
                    Asked::Run(number) => rtu::whole(bytes, 5).and_then(|data| data.first()).map(|code| match code {
                        1..=3 if u16::from(*code) == number => Reply::Doubtful,
                        0 => Reply::Taken,
                        1 => Reply::Refused("the board has no such motor"),
                        2 => Reply::Refused("the board refused the order"),
                        3 => Reply::Refused("the board still holds an old result"),
                        _ => Reply::Doubtful,
                    }),
                    Asked::Clear => rtu::whole(bytes, 4).map(|_| Reply::Taken),
                }
            }
        }
    }

    /// Modbus's exceptions: illegal function, address or value, and busy, are certain; 5 means that it was taken on.
    fn read_refusal(&self, asked: Asked, bytes: &[u8]) -> Option<Reply> {
        let function = self.request(asked).get(1).copied()?;
        if bytes.get(1) != Some(&(function | REFUSED)) {
            return None;
        }
        Some(match rtu::whole(bytes, 5)?.first()? {
            1..=3 => {
                Reply::Refused("the board does not know this register, coil or slot: compare [vend.modbus.registers]")
            }
            5 => Reply::Taken,
            6 => Reply::Refused("the board is busy"),
            _ => Reply::Doubtful,
        })
    }
}

fn read_registers(map: &RegisterSpec, bytes: &[u8]) -> Option<Reply> {
    let (first, count) = map.reach();
    let size = usize::from(count) * 2;
    if bytes.get(1) != Some(&READ) || bytes.get(2).map(|size| usize::from(*size)) != Some(size) {
        return None;
    }
    let data = rtu::whole(bytes, size + 5)?.get(1..)?;
    let register = |number: u16| {
        let place = usize::from(number - first) * 2;
        Some(u16::from_be_bytes([*data.get(place)?, *data.get(place + 1)?]))
    };
    let fell = match map.fell {
        Some(bit) => Some(register(bit.register)? >> bit.bit & 1 == 1),
        None => None,
    };
    let runs = match map.runs {
        Some(runs) => Some(register(runs)?),
        None => None,
    };
    let (status, codes) = (register(map.status)?, &map.codes);
    let activity = match status {
        code if code == codes.idle => Activity::Idle,
        code if code == codes.turning => Activity::Turning,
        code if code == codes.done => Activity::Ended(End::Done),
        code if code == codes.jam => Activity::Ended(End::Jam),
        code if code == codes.no_motor => Activity::Ended(End::Nothing("the slot has no motor")),
        code if code == codes.blocked => Activity::Ended(End::Nothing("something blocks the drop sensor")),
        _ => Activity::Ended(End::Unlisted),
    };
    Some(Reply::State(Report { activity, motor: None, runs, fell }))
}

/// Result: bits 0 and 1 are the motor's fault (1 overcurrent, 2 open, 3 time-out), bit 2 says that nothing was seen to fall.
fn lane_state(data: &[u8], drop_sensor: bool) -> Option<Reply> {
    let (state, motor, result) = (*data.first()?, *data.get(1)?, *data.get(2)?);
    let fell = drop_sensor.then_some(result & 4 == 0);
    let activity = match state {
        0 => Activity::Idle,
        1 => Activity::Turning,
        2 => Activity::Ended(match result & 3 {
            0 => End::Done,
            // "Fell" beside an open circuit is what a board says whose curtain is not wired.
            2 if fell == Some(true) => End::Unlisted,
            2 => End::Nothing("the slot has no motor"),
            _ => End::Jam,
        }),
        _ => Activity::Ended(End::Unlisted),
    };
    Some(Reply::State(Report { activity, motor: Some(motor.into()), runs: None, fell }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registers() -> Dialect {
        Dialect::of(&ModbusSpec::default())
    }

    fn lane() -> Dialect {
        Dialect::of(&ModbusSpec { map: ModbusMap::Lane, ..ModbusSpec::default() })
    }

    #[test]
    fn requests_have_these_bytes() {
        assert_eq!(registers().request(Asked::State)[..6], [1, 3, 0, 1, 0, 3]);
        assert_eq!(registers().request(Asked::Run(11))[..6], [1, 6, 0, 0, 0, 11]);
        let coils = RegisterSpec { coils: true, run: 100, ..RegisterSpec::default() };
        let coils = Dialect::of(&ModbusSpec { registers: coils, ..ModbusSpec::default() });
        assert_eq!(coils.request(Asked::Run(11))[..6], [1, 5, 0, 111, 0xFF, 0]);
        assert_eq!(lane().request(Asked::Run(11))[..3], [1, 5, 11]);
        assert_eq!(lane().request(Asked::State)[..2], [1, 3]);
        assert_eq!(lane().request(Asked::Clear)[..2], [1, 6]);
    }

    #[test]
    fn a_state_is_read_behind_noise_and_only_when_it_is_whole() {
        let reply = rtu::frame(1, READ, &[6, 0, 2, 0, 9, 0, 1]);
        let report = Report { activity: Activity::Ended(End::Done), motor: None, runs: Some(9), fell: Some(true) };
        assert_eq!(registers().read(Asked::State, &reply), Some(Reply::State(report)));
        assert_eq!(
            registers().read(Asked::State, &[&[1, 3, 6, 0], reply.as_slice()].concat()),
            Some(Reply::State(report))
        );
        for length in 0..reply.len() {
            assert_eq!(registers().read(Asked::State, &reply[..length]), None);
        }
    }

    #[test]
    fn a_reply_to_another_question_is_no_reply() {
        let state = rtu::frame(1, READ, &[6, 0, 0, 0, 9, 0, 0]);
        assert_eq!(registers().read(Asked::Run(7), &state), None);
        assert_eq!(registers().read(Asked::State, &registers().request(Asked::Run(7))), None);
        assert_eq!(registers().read(Asked::Run(8), &registers().request(Asked::Run(7))), None);
        assert_eq!(registers().read(Asked::State, &rtu::frame(2, READ, &[6, 0, 0, 0, 9, 0, 0])), None);
    }

    #[test]
    fn exceptions_are_certain_or_not() {
        let reply = |code| registers().read(Asked::Run(7), &rtu::frame(1, 0x86, &[code]));
        assert!(matches!(reply(2), Some(Reply::Refused(_))));
        assert!(matches!(reply(6), Some(Reply::Refused(_))));
        assert_eq!(reply(5), Some(Reply::Taken));
        assert_eq!(reply(4), Some(Reply::Doubtful));
    }

    #[test]
    fn a_lane_board_s_result_is_read_in_both_lengths() {
        let cases = [
            ([2, 7, 0], Activity::Ended(End::Done), Some(true)),
            ([2, 7, 4], Activity::Ended(End::Done), Some(false)),
            ([2, 7, 5], Activity::Ended(End::Jam), Some(false)),
            ([2, 7, 6], Activity::Ended(End::Nothing("the slot has no motor")), Some(false)),
            ([2, 7, 2], Activity::Ended(End::Unlisted), Some(true)),
            ([1, 7, 0], Activity::Turning, Some(true)),
            ([0, 0, 0], Activity::Idle, Some(true)),
        ];
        for (head, activity, fell) in cases {
            for rest in [&[0, 1, 0, 1, 9][..], &[0, 1, 0, 1, 9, 20]] {
                let reply = rtu::frame(0, 3, &[&head[..], rest].concat());
                let report = Report { activity, motor: Some(head[1].into()), runs: None, fell };
                assert_eq!(lane().read(Asked::State, &reply), Some(Reply::State(report)));
            }
        }
        assert_eq!(lane().read(Asked::Run(7), &rtu::frame(1, 5, &[0])), Some(Reply::Taken));
        assert!(matches!(lane().read(Asked::Run(7), &rtu::frame(1, 5, &[3])), Some(Reply::Refused(_))));
    }

    #[test]
    fn the_echo_of_our_own_order_is_no_refusal() {
        for number in 1..=99 {
            let echo = lane().request(Asked::Run(number));
            assert_eq!(lane().read(Asked::Run(number), &echo), Some(Reply::Doubtful), "slot {number}");
        }
    }
}
