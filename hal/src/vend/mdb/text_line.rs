//! The lines of the text adapter, Qibixx MDB-USB and Pi Hat as cashless slave (reference/hardware.md 3.4).

use super::money::{Money, UNKNOWN};

/// Longer than any line of the adapter.
const LINE_MAX: usize = 128;

/// The states that the adapter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Machine {
    Inactive,
    Disabled,
    Enabled,
    /// A session is open.
    Idle,
    /// A request is open.
    Vend,
}

/// What the adapter says about a cashless slave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// Any state but [`Machine::Vend`].
    Status(Machine),
    /// A request; without a price where the text is no whole number of steps.
    Request {
        price: Option<u16>,
        item: u16,
    },
    Success,
    CashSale {
        price: u16,
        item: u16,
    },
    /// A setting was taken.
    Set,
    /// `C,1` was taken.
    On,
    /// `C,0` was taken.
    Off,
    /// `VEND 1`: the machine took its request back.
    Cancelled,
    /// `VEND 3`: not dispensed.
    Failed,
    /// `VEND 5`: the machine sent RESET.
    WasReset,
    /// `VEND -2`: the adapter did not understand our `C,VEND`.
    NotUnderstood,
    /// `VEND -3`: our `C,VEND` came when no request was open.
    WrongState,
    /// `cashless is on`
    IsOn,
    /// `cashless is off`
    IsOff,
    /// Another error.
    Error,
}

/// Reads a line; `None`: it is noise, or no business of a cashless slave.
pub(crate) fn parse(money: Money, line: &str) -> Option<Line> {
    let rest = line.strip_prefix("c,")?;
    if let Some(error) = rest.strip_prefix("ERR,") {
        return Some(match error.trim().trim_matches('"') {
            "VEND 1" => Line::Cancelled,
            "VEND 3" => Line::Failed,
            "VEND 5" => Line::WasReset,
            "VEND -2" => Line::NotUnderstood,
            "VEND -3" => Line::WrongState,
            "cashless is on" => Line::IsOn,
            "cashless is off" => Line::IsOff,
            _ => Line::Error,
        });
    }
    let mut fields = rest.trim_end().split(',');
    let mut field = || fields.next();
    Some(match (field(), field(), field(), field()) {
        (Some("1"), None, ..) => Line::On,
        (Some("0"), None, ..) => Line::Off,
        (Some("SET"), Some("OK"), ..) => Line::Set,
        (Some("VEND"), Some("SUCCESS"), ..) => Line::Success,
        (Some("STATUS"), Some("INACTIVE" | "OFFLINE"), ..) => Line::Status(Machine::Inactive),
        (Some("STATUS"), Some("DISABLED"), ..) => Line::Status(Machine::Disabled),
        (Some("STATUS"), Some("ENABLED"), ..) => Line::Status(Machine::Enabled),
        (Some("STATUS"), Some("IDLE"), ..) => Line::Status(Machine::Idle),
        (Some("STATUS"), Some("VEND"), Some(price), item) => {
            Line::Request { price: money.read(price), item: item_number(item) }
        }
        // How the adapter spells a record of a sale for cash was not read anywhere: both spellings are taken.
        (Some("SALE" | "CASHSALE"), Some(price), item, _) => {
            Line::CashSale { price: money.read(price)?, item: item_number(item) }
        }
        _ => return None,
    })
}

fn item_number(text: Option<&str>) -> u16 {
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(UNKNOWN)
}

/// Joins bytes to lines; CR, LF or both end one.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    line: String,
    /// Too long or no text: skipped to its end.
    torn: bool,
}

impl Lines {
    /// The lines that these bytes end.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    if !std::mem::take(&mut self.torn) && !line.is_empty() {
                        lines.push(line);
                    }
                }
                0x20..=0x7E if self.line.len() < LINE_MAX => self.line.push(char::from(*byte)),
                _ => self.torn = true,
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEN: Money = Money { scale: 1, decimals: 2 };

    #[test]
    fn every_line_of_the_reference_is_read() {
        let cases = [
            ("c,STATUS,INACTIVE", Some(Line::Status(Machine::Inactive))),
            ("c,STATUS,DISABLED", Some(Line::Status(Machine::Disabled))),
            ("c,STATUS,ENABLED", Some(Line::Status(Machine::Enabled))),
            ("c,STATUS,IDLE", Some(Line::Status(Machine::Idle))),
            ("c,STATUS,IDLE,5.00", Some(Line::Status(Machine::Idle))),
            ("c,STATUS,VEND,1.50,12", Some(Line::Request { price: Some(150), item: 12 })),
            ("c,STATUS,VEND,150,12", Some(Line::Request { price: Some(150), item: 12 })),
            ("c,STATUS,VEND,1.505,12", Some(Line::Request { price: None, item: 12 })),
            ("c,STATUS,VEND,1.50", Some(Line::Request { price: Some(150), item: UNKNOWN })),
            ("c,VEND,SUCCESS", Some(Line::Success)),
            ("c,ERR,VEND 3", Some(Line::Failed)),
            ("c,ERR,\"VEND -3\"", Some(Line::WrongState)),
            ("c,ERR,\"cashless is on\"", Some(Line::IsOn)),
            ("c,ERR,\"cashless is off\"", Some(Line::IsOff)),
            ("c,ERR,\"START -3\"", Some(Line::Error)),
            ("c,SET,OK", Some(Line::Set)),
            ("c,1", Some(Line::On)),
            ("c,0", Some(Line::Off)),
        ];
        for (text, line) in cases {
            assert_eq!(parse(FEN, text), line, "{text}");
        }
    }

    #[test]
    fn noise_sniffer_and_the_other_devices_are_no_lines_of_ours() {
        for text in ["r,ACK", "x,1300015E000577", "v,4.0.1.2,30FF", "d,STATUS,IDLE", "c", "c,", "c,STATUS", "", "C,1"] {
            assert_eq!(parse(FEN, text), None, "{text}");
        }
    }

    #[test]
    fn lines_are_joined_wherever_they_are_cut_and_torn_ones_are_skipped() {
        let sent = b"c,1\r\n\r\nr,ACK\nc,STATUS,\xFFENABLED\rc,VEND,SUCCESS\r\n";
        for cut in 0..sent.len() {
            let mut lines = Lines::default();
            let mut got = lines.push(&sent[..cut]);
            got.extend(lines.push(&sent[cut..]));
            assert_eq!(got, ["c,1", "r,ACK", "c,VEND,SUCCESS"], "cut at {cut}");
        }
        let mut lines = Lines::default();
        assert_eq!(lines.push(&[b'c'; 4096]), [""; 0]);
        assert_eq!(lines.push(b"\nc,1\n"), ["c,1"]);
    }
}
