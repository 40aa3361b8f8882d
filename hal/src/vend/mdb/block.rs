//! Blocks of the cashless part of MDB, both directions (reference/hardware.md 3.1, 3.2). Amounts are 16-bit: 32-bit money is
//! never agreed.

/// Sum of the bytes before it, modulo 256. The master's includes the address byte.
pub(crate) fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// With its checksum behind it.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(checksum(&bytes));
    bytes
}

/// Without its checksum; `None`: it does not agree.
pub(crate) fn unseal(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, block) = bytes.split_last()?;
    (!block.is_empty() && *sum == checksum(block)).then_some(block)
}

/// Option bit of level 3: a selection needs no session before it.
pub(crate) const ALWAYS_IDLE: u32 = 0x20;

/// What the master says to a cashless device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Reset,
    /// The machine's level and its display.
    Setup {
        level: u8,
        columns: u8,
        rows: u8,
        display: u8,
    },
    /// Highest and lowest price, in steps.
    Prices {
        max: u16,
        min: u16,
    },
    Poll,
    VendRequest {
        price: u16,
        item: u16,
    },
    VendCancel,
    VendSuccess {
        item: u16,
    },
    VendFailure,
    SessionComplete,
    CashSale {
        price: u16,
        item: u16,
    },
    NegativeVend {
        value: u16,
        item: u16,
    },
    Disable,
    Enable,
    /// The machine's coin return lever, mostly.
    Cancel,
    Revalue {
        amount: u16,
    },
    RevalueLimit,
    ExpansionId,
    /// The options that both sides want.
    Options(u32),
    /// Data entry, file transport, diagnostics: nothing that we offer.
    Other,
}

/// Length of a command without its checksum, by its first bytes; `None`: more bytes are needed to tell, or nobody knows.
pub(crate) fn length(address: u8, bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first()?;
    if first & 0xF8 != address {
        return None;
    }
    if matches!(first & 7, 0 | 2) {
        return Some(1);
    }
    match (first & 7, *bytes.get(1)?) {
        (1 | 3, 0) | (1, 1) | (3, 5 | 6) | (7, 4) => Some(6),
        (3, 2) | (5, 0) => Some(4),
        (3, 1 | 3 | 4) | (4, 0..=2) | (5, 1) => Some(2),
        (4, 3) => Some(10),
        (7, 0) => Some(31),
        _ => None,
    }
}

fn word(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}

impl Command {
    /// Reads a block without its checksum; `None`: it is for another device, or too short.
    pub(crate) fn decode(address: u8, block: &[u8]) -> Option<Self> {
        let (first, rest) = block.split_first()?;
        if first & 0xF8 != address {
            return None;
        }
        Some(match (first & 7, rest) {
            (0, []) => Self::Reset,
            (1, [0, level, columns, rows, display]) => {
                Self::Setup { level: *level, columns: *columns, rows: *rows, display: *display }
            }
            // Behind the prices an expanded setup has a currency.
            (1, [1, a, b, c, d, ..]) => Self::Prices { max: word(*a, *b), min: word(*c, *d) },
            (2, []) => Self::Poll,
            (3, [0, a, b, c, d]) => Self::VendRequest { price: word(*a, *b), item: word(*c, *d) },
            (3, [1]) => Self::VendCancel,
            (3, [2, a, b]) => Self::VendSuccess { item: word(*a, *b) },
            (3, [3]) => Self::VendFailure,
            (3, [4]) => Self::SessionComplete,
            (3, [5, a, b, c, d]) => Self::CashSale { price: word(*a, *b), item: word(*c, *d) },
            (3, [6, a, b, c, d]) => Self::NegativeVend { value: word(*a, *b), item: word(*c, *d) },
            (4, [0]) => Self::Disable,
            (4, [1]) => Self::Enable,
            (4, [2]) => Self::Cancel,
            (5, [0, a, b]) => Self::Revalue { amount: word(*a, *b) },
            (5, [1]) => Self::RevalueLimit,
            (7, [0, ..]) => Self::ExpansionId,
            (7, [4, a, b, c, d]) => Self::Options(u32::from_be_bytes([*a, *b, *c, *d])),
            (4, [3, ..]) | (7, [0xFD..=0xFF, ..]) => Self::Other,
            _ => return None,
        })
    }

    /// The block without its checksum: for the simulated master.
    pub(crate) fn encode(self, address: u8) -> Vec<u8> {
        let pair = |command: u8, sub: u8, a: u16, b: u16| {
            let ([ah, al], [bh, bl]) = (a.to_be_bytes(), b.to_be_bytes());
            vec![address | command, sub, ah, al, bh, bl]
        };
        let one = |command: u8, sub: u8, a: u16| pair(command, sub, a, 0)[..4].to_vec();
        match self {
            Self::Reset => vec![address],
            Self::Setup { level, columns, rows, display } => vec![address | 1, 0, level, columns, rows, display],
            Self::Prices { max, min } => pair(1, 1, max, min),
            Self::Poll => vec![address | 2],
            Self::VendRequest { price, item } => pair(3, 0, price, item),
            Self::VendCancel => vec![address | 3, 1],
            Self::VendSuccess { item } => one(3, 2, item),
            Self::VendFailure => vec![address | 3, 3],
            Self::SessionComplete => vec![address | 3, 4],
            Self::CashSale { price, item } => pair(3, 5, price, item),
            Self::NegativeVend { value, item } => pair(3, 6, value, item),
            Self::Disable => vec![address | 4, 0],
            Self::Enable => vec![address | 4, 1],
            Self::Cancel => vec![address | 4, 2],
            Self::Revalue { amount } => one(5, 0, amount),
            Self::RevalueLimit => vec![address | 5, 1],
            Self::ExpansionId => {
                let mut block = vec![address | 7, 0];
                block.extend_from_slice(b"SIM000000000001SIMULATED VM\x01\x00");
                block
            }
            Self::Options(bits) => {
                let mut block = vec![address | 7, 4];
                block.extend_from_slice(&bits.to_be_bytes());
                block
            }
            Self::Other => vec![address | 7, 0xFF],
        }
    }
}

/// What a reader declares at SETUP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Config {
    /// 1 to 3.
    pub(crate) level: u8,
    pub(crate) scale: u8,
    pub(crate) decimals: u8,
    /// Longest time in seconds until a vend request is answered ("Z7").
    pub(crate) max_response_s: u8,
    /// Wants to hear of sales for cash.
    pub(crate) cash_sales: bool,
}

/// "ISO 4217 follows" and 156, as BCD digits: decimal 1156 is the classic bug.
const CNY: [u8; 2] = [0x11, 0x56];
/// A reader's state as code 0B names it.
const STATE_MAX: u8 = 7;

/// What a reader says to the master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    JustReset,
    Config(Config),
    /// Credit in steps; at level 2 and 3 with a media id, which we have not.
    Begin {
        funds: u16,
        long: bool,
    },
    CancelSession,
    Approved(u16),
    Denied,
    End,
    Cancelled,
    /// Who we are; at level 3 with the options that we offer.
    Id(Option<u32>),
    /// With the state at level 2 and 3.
    OutOfSequence(Option<u8>),
    RevalueDenied,
    RevalueLimit,
}

impl Status {
    /// The block without its checksum.
    pub(crate) fn encode(self) -> Vec<u8> {
        match self {
            Self::JustReset => vec![0x00],
            Self::Config(config) => {
                // Bit 0: the money of a failed vend goes back.
                let options = if config.cash_sales { 0x09 } else { 0x01 };
                let (scale, decimals) = (config.scale, config.decimals);
                vec![0x01, config.level, CNY[0], CNY[1], scale, decimals, config.max_response_s, options]
            }
            Self::Begin { funds, long } => {
                let mut block = amount(0x03, funds);
                if long {
                    block.extend_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0]);
                }
                block
            }
            Self::CancelSession => vec![0x04],
            Self::Approved(steps) => amount(0x05, steps),
            Self::Denied => vec![0x06],
            Self::End => vec![0x07],
            Self::Cancelled => vec![0x08],
            Self::Id(options) => {
                let mut block = vec![0x09];
                // Maker 3, serial number 12, model 12, version 2 as BCD.
                block.extend_from_slice(b"TIL000000000001TILL        \x00\x02");
                block.extend(options.into_iter().flat_map(u32::to_be_bytes));
                block
            }
            Self::OutOfSequence(state) => {
                let mut block = vec![0x0B];
                block.extend(state);
                block
            }
            Self::RevalueDenied => vec![0x0E],
            Self::RevalueLimit => amount(0x0F, 0),
        }
    }

    /// Reads a block without its checksum: for the simulated master. `None`: a master of this kind does not know it.
    pub(crate) fn decode(block: &[u8]) -> Option<Self> {
        Some(match *block {
            [0x00] => Self::JustReset,
            [0x01, level @ 1..=3, 0x11, 0x56, scale, decimals, max_response_s, options] => {
                Self::Config(Config { level, scale, decimals, max_response_s, cash_sales: options & 8 != 0 })
            }
            [0x03, a, b] => Self::Begin { funds: word(a, b), long: false },
            [0x03, a, b, _, _, _, _, _, _, _] => Self::Begin { funds: word(a, b), long: true },
            [0x04] => Self::CancelSession,
            [0x05, a, b] => Self::Approved(word(a, b)),
            [0x06] => Self::Denied,
            [0x07] => Self::End,
            [0x08] => Self::Cancelled,
            [0x09, ref id @ ..] => match id.len() {
                29 => Self::Id(None),
                33 => Self::Id(id.last_chunk().map(|bytes| u32::from_be_bytes(*bytes))),
                _ => return None,
            },
            [0x0B] => Self::OutOfSequence(None),
            [0x0B, state @ 1..=STATE_MAX] => Self::OutOfSequence(Some(state)),
            [0x0E] => Self::RevalueDenied,
            [0x0F, 0, 0] => Self::RevalueLimit,
            _ => return None,
        })
    }
}

fn amount(code: u8, steps: u16) -> Vec<u8> {
    let [high, low] = steps.to_be_bytes();
    vec![code, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference's golden blocks, checksum behind the bar.
    fn golden(text: &str) -> Vec<u8> {
        let (block, sum) = text.split_once('|').unwrap();
        let byte = |hex: &str| u8::from_str_radix(hex, 16).unwrap();
        block.split(' ').map(byte).chain([byte(sum)]).collect()
    }

    #[test]
    fn every_golden_command_is_written_and_read() {
        let cases: [(u8, Command, &str); 19] = [
            (0x10, Command::Reset, "10|10"),
            (0x10, Command::Poll, "12|12"),
            (0x60, Command::Reset, "60|60"),
            (0x60, Command::Poll, "62|62"),
            (0x10, Command::Setup { level: 1, columns: 0, rows: 0, display: 0 }, "11 00 01 00 00 00|12"),
            (0x10, Command::Setup { level: 3, columns: 20, rows: 2, display: 1 }, "11 00 03 14 02 01|2B"),
            (0x10, Command::Prices { max: 10_000, min: 100 }, "11 01 27 10 00 64|AD"),
            (0x10, Command::Enable, "14 01|15"),
            (0x10, Command::Disable, "14 00|14"),
            (0x10, Command::Cancel, "14 02|16"),
            (0x10, Command::Options(ALWAYS_IDLE), "17 04 00 00 00 20|3B"),
            (0x10, Command::VendRequest { price: 350, item: 5 }, "13 00 01 5E 00 05|77"),
            (0x10, Command::VendCancel, "13 01|14"),
            (0x10, Command::VendSuccess { item: 5 }, "13 02 00 05|1A"),
            (0x10, Command::VendFailure, "13 03|16"),
            (0x10, Command::SessionComplete, "13 04|17"),
            (0x10, Command::CashSale { price: 350, item: 5 }, "13 05 01 5E 00 05|7C"),
            (0x10, Command::Revalue { amount: 100 }, "15 00 00 64|79"),
            (0x10, Command::RevalueLimit, "15 01|16"),
        ];
        for (address, command, text) in cases {
            let block = golden(text);
            assert_eq!(seal(command.encode(address)), block, "{text}");
            let bare = unseal(&block).unwrap();
            assert_eq!(Command::decode(address, bare), Some(command), "{text}");
            assert_eq!(length(address, bare), Some(bare.len()), "{text}");
            assert_eq!(Command::decode(0x70 - address, bare), None, "{text} is for another device");
        }
    }

    #[test]
    fn every_golden_status_is_written_and_read() {
        let config =
            |level, cash_sales| Status::Config(Config { level, scale: 1, decimals: 2, max_response_s: 30, cash_sales });
        let cases = [
            (config(1, false), "01 01 11 56 01 02 1E 01|8B"),
            (config(3, true), "01 03 11 56 01 02 1E 09|95"),
            (Status::JustReset, "00|00"),
            (Status::Begin { funds: 1000, long: false }, "03 03 E8|EE"),
            (Status::Begin { funds: 0xFFFF, long: false }, "03 FF FF|01"),
            (Status::Begin { funds: 1000, long: true }, "03 03 E8 FF FF FF FF 00 00 00|EA"),
            (Status::Approved(350), "05 01 5E|64"),
            (Status::Denied, "06|06"),
            (Status::End, "07|07"),
            (Status::CancelSession, "04|04"),
            (Status::OutOfSequence(Some(3)), "0B 03|0E"),
        ];
        for (status, text) in cases {
            let block = golden(text);
            assert_eq!(seal(status.encode()), block, "{text}");
            assert_eq!(Status::decode(unseal(&block).unwrap()), Some(status), "{text}");
        }
    }

    #[test]
    fn our_name_is_as_long_as_each_level_wants_it() {
        assert_eq!(Status::Id(None).encode().len(), 30);
        assert_eq!(Status::Id(Some(ALWAYS_IDLE)).encode().len(), 34);
        assert_eq!(Status::decode(&Status::Id(Some(ALWAYS_IDLE)).encode()), Some(Status::Id(Some(ALWAYS_IDLE))));
        assert_eq!(Command::ExpansionId.encode(0x10).len(), 31);
    }

    #[test]
    fn no_golden_block_survives_a_flipped_bit() {
        for text in ["13 00 01 5E 00 05|77", "05 01 5E|64", "13 02 00 05|1A", "00|00"] {
            let block = golden(text);
            for bit in 0..block.len() * 8 {
                let mut torn = block.clone();
                torn[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(unseal(&torn), None, "{text} bit {bit}");
            }
        }
        assert_eq!(unseal(&[0]), None);
        assert_eq!(unseal(&[]), None);
    }

    /// A box that was seen at a real machine sent these (16x1 display, level 3, "VEI", prices of 5 to 134.50).
    #[test]
    fn blocks_of_a_real_machine_are_read() {
        let block = golden("11 00 03 10 01 01|26");
        let setup = Command::Setup { level: 3, columns: 16, rows: 1, display: 1 };
        assert_eq!(Command::decode(0x10, unseal(&block).unwrap()), Some(setup));
        let block = golden("11 01 05 41 00 32|8A");
        let prices = Command::Prices { max: 0x541, min: 0x32 };
        assert_eq!(Command::decode(0x10, unseal(&block).unwrap()), Some(prices));
    }
}
