//! What a scanner sends, and what must come of it.

use std::collections::VecDeque;

use hal::board::Terminator;
use hal::scanner::frame::LINE_MAX;

use crate::dice::Dice;

/// The kinds of scanner that take turns. One without a terminator ends its lines by time, which is not counted here.
pub const TERMINATORS: [Terminator; 5] =
    [Terminator::Any, Terminator::Cr, Terminator::Lf, Terminator::Crlf, Terminator::Tab];

/// What ends a line for a driver that takes any ending.
const ANY_ENDING: [&[u8]; 3] = [b"\r", b"\n", b"\r\n"];

/// How pay codes begin and how long they are: Alipay, WeChat Pay, UnionPay, digital yuan.
const WALLETS: [(&[&str], std::ops::RangeInclusive<u64>); 4] = [
    (&["25", "26", "27", "28", "29", "30"], 16..=24),
    (&["10", "11", "12", "13", "14", "15"], 18..=18),
    (&["62"], 19..=19),
    (&["01"], 19..=19),
];

/// Bytes in one go: less than a pseudo-terminal holds, so that nothing waits for room.
const BYTES_MAX: usize = 2_000;

/// A scanner with its habits, and what the driver knows of it.
pub struct Lines {
    dice: Dice,
    terminator: Terminator,
    /// The newest text that came through: the same again is the same code still in view.
    last: String,
}

/// Some lines in one go.
#[derive(Debug, Default)]
pub struct Burst {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// How many lines they are.
    pub frames: u64,
    /// The texts that must arrive, in order. The last line always arrives.
    pub expected: VecDeque<String>,
}

impl Lines {
    /// A scanner that ends its lines so.
    #[must_use]
    pub const fn new(seed: u64, terminator: Terminator) -> Self {
        Self { dice: Dice::new(seed), terminator, last: String::new() }
    }

    /// Up to `frames` lines, at least one.
    pub fn burst(&mut self, frames: u64) -> Burst {
        let mut burst = Burst::default();
        while burst.frames + 1 < frames && burst.bytes.len() < BYTES_MAX / 2 {
            self.line(&mut burst);
        }
        let code = self.code();
        self.send(&mut burst, code.as_bytes(), Some(&code));
        burst
    }

    /// The beginning of a line whose end never comes.
    pub fn half_line(&mut self) -> Vec<u8> {
        let code = self.code();
        let length = usize::try_from(1 + self.dice.roll(code.len() as u64 - 1)).unwrap_or(1);
        code.as_bytes()[..length].to_vec()
    }

    fn line(&mut self, burst: &mut Burst) {
        let code = self.code();
        match self.dice.roll(16) {
            0 => {
                let again = self.last.clone();
                self.send(burst, again.as_bytes(), Some(&again));
            }
            1 => {
                let identifier = *self.dice.pick(&["]Q1", "]C1", "]d2", "]E0"]);
                self.send(burst, format!("{identifier}{code}").as_bytes(), Some(&code));
            }
            2 => self.send(burst, format!("  {code} ").as_bytes(), Some(&code)),
            3 => self.send(burst, b"", None),
            4 => {
                let spoiled = self.spoiled(&code);
                self.send(burst, &spoiled, None);
            }
            5 => {
                let length = self.longest() + 1 + usize::try_from(self.dice.roll(400)).unwrap_or(0);
                self.send(burst, &vec![b'7'; length], None);
            }
            6 => {
                let longest = format!("{code:0>width$}", width = self.longest());
                self.send(burst, longest.as_bytes(), Some(&longest));
            }
            _ => self.send(burst, code.as_bytes(), Some(&code)),
        }
    }

    /// Adds a line, its end, and what must come of it.
    fn send(&mut self, burst: &mut Burst, line: &[u8], text: Option<&str>) {
        burst.bytes.extend(line);
        burst.bytes.extend(self.ending());
        burst.frames += 1;
        if let Some(text) = text
            && !text.is_empty()
            && text != self.last
        {
            self.last = text.to_owned();
            burst.expected.push_back(self.last.clone());
        }
    }

    fn ending(&mut self) -> &'static [u8] {
        match self.terminator {
            Terminator::Any => self.dice.pick::<&[u8]>(&ANY_ENDING),
            Terminator::Cr => b"\r",
            Terminator::Lf => b"\n",
            Terminator::Crlf => b"\r\n",
            Terminator::Tab => b"\t",
            Terminator::None => b"",
        }
    }

    /// The longest line that is a line; the CR of CR LF counts until the LF comes.
    fn longest(&self) -> usize {
        LINE_MAX - usize::from(self.terminator == Terminator::Crlf)
    }

    fn code(&mut self) -> String {
        let (beginnings, lengths) = self.dice.pick(&WALLETS);
        let (beginnings, shortest, longest) = (*beginnings, *lengths.start(), *lengths.end());
        let length = shortest + self.dice.roll(longest - shortest + 1);
        let mut code = (*self.dice.pick(beginnings)).to_owned();
        while (code.len() as u64) < length {
            code.push(char::from(b'0' + u8::try_from(self.dice.roll(10)).unwrap_or(0)));
        }
        code
    }

    /// Noise on the wire: bytes in the code that no code has.
    fn spoiled(&mut self, code: &str) -> Vec<u8> {
        let mut bytes = code.as_bytes().to_vec();
        for _ in 0..=self.dice.roll(3) {
            let place = usize::try_from(self.dice.roll(bytes.len() as u64)).unwrap_or(0);
            let noise = *self.dice.pick(&[0x00, 0x07, 0x1b, 0x7f, 0x80, 0xc3, 0xff]);
            if self.dice.one_in(2) {
                bytes[place] = noise;
            } else {
                bytes.insert(place, noise);
            }
        }
        bytes
    }
}
