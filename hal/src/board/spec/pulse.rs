//! `[vend.pulse]`: a line that imitates a coin acceptor.

use serde::{Deserialize, Serialize};

use super::LineSpec;

/// `[vend.pulse]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PulseSpec {
    /// The line of the pulses, for every slot that has none of its own.
    pub line: Option<LineSpec>,
    /// Active while the machine takes no coins.
    pub inhibit: Option<LineSpec>,
    /// What one pulse is worth, in fen; default 100.
    pub fen_per_pulse: u32,
    /// Length of a pulse; default 60.
    pub on_ms: u32,
    /// Rest between two pulses; default 60.
    pub off_ms: u32,
    /// Rest between two orders; default 1000.
    pub gap_ms: u32,
    /// Most pulses for one order; default 50.
    pub pulses_max: u32,
}

impl Default for PulseSpec {
    fn default() -> Self {
        Self { line: None, inhibit: None, fen_per_pulse: 100, on_ms: 60, off_ms: 60, gap_ms: 1000, pulses_max: 50 }
    }
}

impl PulseSpec {
    /// How many pulses make this price in fen.
    ///
    /// # Errors
    /// Why there is no such number, with what to do.
    pub fn pulses(&self, price: i64) -> Result<u32, String> {
        let each = i64::from(self.fen_per_pulse);
        let count = price.checked_div(each).and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
        if count == 0 || price.checked_rem(each) != Some(0) {
            return Err(format!("{price} fen are no whole number of pulses of {each} fen: change the price"));
        }
        if count > self.pulses_max {
            return Err(format!("{price} fen are {count} pulses, more than pulses_max = {}", self.pulses_max));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_a_whole_number_of_pulses_or_none() {
        let spec = PulseSpec { fen_per_pulse: 50, pulses_max: 10, ..PulseSpec::default() };
        assert_eq!(spec.pulses(50), Ok(1));
        assert_eq!(spec.pulses(350), Ok(7));
        for price in [-50, 0, 49, 51, 375, 550, i64::MAX] {
            assert!(spec.pulses(price).is_err(), "{price}");
        }
        assert!(PulseSpec { fen_per_pulse: 0, ..spec }.pulses(100).is_err());
    }
}
