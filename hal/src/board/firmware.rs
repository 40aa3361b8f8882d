//! What a Raspberry Pi's firmware must know of a board, so that nothing moves before Linux runs.

use std::collections::BTreeMap;

use super::{BoardSpec, Use, checks::bcm_number};

impl BoardSpec {
    /// The lines for `/boot/firmware/config.txt` that hold every relay and pulse line at its off level from about two seconds
    /// after power-on (reference/hardware.md 4.4), such as `gpio=16-21=op,dl`. Empty: no such line is on a Raspberry Pi's header.
    #[must_use]
    pub fn firmware_lines(&self) -> Vec<String> {
        let relays = self.lines().into_iter().filter(|wired| wired.purpose == Use::Relay);
        let pins: BTreeMap<u8, bool> =
            relays.filter_map(|wired| Some((bcm_number(wired.line)?, wired.line.active_low))).collect();
        let mut runs: Vec<(u8, u8, bool)> = Vec::new();
        for (pin, high) in pins {
            match runs.last_mut() {
                Some((_, last, level)) if *last + 1 == pin && *level == high => *last = pin,
                Some(_) | None => runs.push((pin, pin, high)),
            }
        }
        runs.into_iter().map(|(first, last, high)| line(first, last, high)).collect()
    }
}

fn line(first: u8, last: u8, high: bool) -> String {
    let level = if high { "dh" } else { "dl" };
    if first == last { format!("gpio={first}=op,{level}") } else { format!("gpio={first}-{last}=op,{level}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{LineSpec, SlotSpec};

    fn slot(offset: u32, active_low: bool) -> SlotSpec {
        let line =
            LineSpec { chip: Some("pinctrl-bcm2711".into()), offset: Some(offset), active_low, ..LineSpec::default() };
        SlotSpec { name: offset.to_string(), line: Some(line), ..SlotSpec::default() }
    }

    #[test]
    fn neighbours_with_one_off_level_share_a_line() {
        let mut board = BoardSpec::default();
        board.vend.slots = [17, 16, 18, 20].map(|offset| slot(offset, false)).into();
        board.vend.slots.push(slot(4, true));
        assert_eq!(board.firmware_lines(), ["gpio=4=op,dh", "gpio=16-18=op,dl", "gpio=20=op,dl"]);
    }

    #[test]
    fn lines_of_other_chips_and_inputs_are_not_the_firmwares_business() {
        let mut board = BoardSpec::default();
        let named = LineSpec { name: Some("PH4".into()), ..LineSpec::default() };
        board.vend.slots = vec![SlotSpec { line: Some(named), ..SlotSpec::default() }];
        board.vend.drop_sensor = slot(24, true).line;
        assert_eq!(board.firmware_lines(), [] as [String; 0]);
    }
}
