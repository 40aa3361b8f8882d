//! Pass-through boxes: PC2MDB, RS232-MDB, MDB-USB (reference/hardware.md 3.4). The box answers POLL by itself and passes every
//! other command up; our answer goes out at the next poll. Text or bytes, with checksum or without, is an option.

use std::{collections::VecDeque, time::Duration};

use super::{
    block::{self, Command, Status},
    link::{Heard, Link, Trouble},
    reader::{Abilities, Reader},
};

/// Bytes of one block come without a pause; after this long a block has ended, or was torn.
const SILENCE: Duration = Duration::from_millis(50);
/// The box has sent our answer at the next poll, and the master's ACK came back. Ten polls or more.
const ACK_WITHIN: Duration = Duration::from_secs(3);
/// What is written to a box without a pause is one answer.
const PAUSE: Duration = Duration::from_millis(60);
/// A box that tells of no ACK holds one answer: the next one waits for a few polls.
const GAP: Duration = Duration::from_millis(400);
/// After this many sessions that nobody took the machine is not there.
const BEGINS: u32 = 3;
/// Between two further tries.
const BEGIN_AGAIN: Duration = Duration::from_secs(30);
/// The master answers SESSION CANCEL REQUEST with SESSION COMPLETE, or has no session.
const COMPLETE_WITHIN: Duration = Duration::from_secs(10);
/// A machine that has not enabled us for so long is asked to begin anew: a command may have been lost.
const REVIVE: Duration = Duration::from_mins(3);
/// The longest block is 36 bytes; a text that is longer is none.
const BLOCK_MAX: usize = 64;

/// How the box is wired to us.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wire {
    /// 10 for cashless 1, 60 for cashless 2.
    pub(crate) address: u8,
    /// Hexadecimal text towards the box, else bytes.
    pub(crate) sends_text: bool,
    /// Hexadecimal text from the box, else bytes.
    pub(crate) receives_text: bool,
    pub(crate) sends_checksum: bool,
    pub(crate) receives_checksum: bool,
    /// The box passes the master's ACK up.
    pub(crate) acks: bool,
}

/// One block, in the form that the box wants.
pub(crate) fn encode(block: Vec<u8>, checksum: bool, text: bool) -> Vec<u8> {
    let block = if checksum { block::seal(block) } else { block };
    if !text {
        return block;
    }
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).map_or(b'0', |digit| digit.to_ascii_uppercase() as u8);
    let mut line: Vec<u8> = block.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    line.extend_from_slice(b"\r\n");
    line
}

/// What a box passes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Passed {
    Ack,
    /// A block without its checksum.
    Block(Vec<u8>),
}

/// Cuts what the box passes up into blocks.
#[derive(Debug)]
pub(crate) struct Frames {
    wire: Wire,
    bytes: Vec<u8>,
    /// Text: the first half of a byte.
    half: Option<u8>,
    /// Text: not a block; skipped to its end.
    torn: bool,
    last: Duration,
}

impl Frames {
    pub(crate) const fn new(wire: Wire) -> Self {
        Self { wire, bytes: Vec::new(), half: None, torn: false, last: Duration::ZERO }
    }

    pub(crate) fn push(&mut self, now: Duration, bytes: &[u8], found: &mut Vec<Passed>) {
        self.silence(now, found);
        self.last = now;
        for byte in bytes {
            if self.wire.receives_text { self.character(*byte, found) } else { self.byte(*byte, found) }
        }
    }

    /// When a block is over because nothing more comes.
    pub(crate) fn due(&self) -> Option<Duration> {
        let waits = !self.bytes.is_empty() || self.half.is_some() || self.torn;
        waits.then_some(self.last + SILENCE)
    }

    pub(crate) fn silence(&mut self, now: Duration, found: &mut Vec<Passed>) {
        if self.due().is_some_and(|due| due <= now) {
            if self.wire.receives_text { self.end_of_text(found) } else { self.bytes.clear() }
        }
    }

    /// Digits in pairs; spaces between them mean nothing, and STX, ETX, CR, LF or silence ends a block.
    fn character(&mut self, character: u8, found: &mut Vec<Passed>) {
        let digit = char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (digit, character) {
            (Some(low), _) => match self.half.take() {
                // Without an end it is no block, and is not kept without an end.
                Some(high) if !self.torn => self.bytes.push(high << 4 | low),
                Some(_) => {}
                None => self.half = Some(low),
            },
            (None, b' ') => {}
            (None, 0x02 | 0x03 | b'\r' | b'\n') => self.end_of_text(found),
            (None, _) => self.torn = true,
        }
        self.torn |= self.bytes.len() > BLOCK_MAX;
    }

    fn end_of_text(&mut self, found: &mut Vec<Passed>) {
        let block = std::mem::take(&mut self.bytes);
        let torn = std::mem::take(&mut self.torn) | self.half.take().is_some();
        if !torn {
            found.extend(self.passed(&block));
        }
    }

    /// Lengths are known by the first bytes; what does not fit is skipped until something does.
    fn byte(&mut self, byte: u8, found: &mut Vec<Passed>) {
        self.bytes.push(byte);
        loop {
            let Some(first) = self.bytes.first() else { return };
            let length = match *first {
                0 | 0xFF | 0xAA => Some(1),
                first if first & 0xF8 != self.wire.address => Some(0),
                _ => block::length(self.wire.address, &self.bytes)
                    .map(|length| length + usize::from(self.wire.receives_checksum)),
            };
            let Some(length) = length else {
                // Something of variable length that we offer nothing for: silence ends it.
                self.bytes.truncate(BLOCK_MAX);
                return;
            };
            if self.bytes.len() < length {
                return;
            }
            let passed = self.bytes.get(..length).and_then(|block| self.passed(block));
            // Not a block: the next byte may begin one.
            let used = if passed.is_some() || length == 1 { length } else { 1 };
            self.bytes.drain(..used);
            found.extend(passed);
        }
    }

    fn passed(&self, block: &[u8]) -> Option<Passed> {
        match block {
            [] | [0xFF | 0xAA] => None,
            [0] => Some(Passed::Ack),
            block if self.wire.receives_checksum => block::unseal(block).map(|block| Passed::Block(block.to_vec())),
            block => Some(Passed::Block(block.to_vec())),
        }
    }
}

/// Our answer that is on its way.
#[derive(Debug, Clone, Copy)]
struct Sent {
    until: Duration,
    tries: u32,
    /// To be sent again.
    again: bool,
}

/// A pass-through box.
#[derive(Debug)]
pub(crate) struct Hex {
    wire: Wire,
    can: Abilities,
    frames: Frames,
    /// When bytes came last.
    last: Duration,
    /// `None`: the port is closed.
    reader: Option<Reader>,
    sent: Option<Sent>,
    /// Nothing is written before.
    pause: Duration,
    /// The master shall have ended the session by then.
    closing: Option<Duration>,
    /// The machine has not enabled us; it is asked again then.
    revive: Option<Duration>,
    heard: VecDeque<Heard>,
}

impl Hex {
    pub(crate) fn new(wire: Wire, can: Abilities) -> Self {
        Self {
            wire,
            can,
            frames: Frames::new(wire),
            last: Duration::ZERO,
            reader: None,
            sent: None,
            pause: Duration::ZERO,
            closing: None,
            revive: None,
            heard: VecDeque::new(),
        }
    }

    fn passed(&mut self, found: Vec<Passed>) {
        for passed in found {
            match passed {
                Passed::Ack => self.with_reader(Reader::acked),
                Passed::Block(block) => match Command::decode(self.wire.address, &block) {
                    Some(command) => self.with_reader(|reader| reader.command(command)),
                    None => tracing::debug!(?block, "the MDB adapter passed up what no cashless reader is asked"),
                },
            }
        }
    }

    fn with_reader(&mut self, act: impl FnOnce(&mut Reader)) {
        let Some(reader) = &mut self.reader else { return };
        act(reader);
        if !reader.is_handed() {
            self.sent = None;
        }
        while let Some(heard) = reader.heard() {
            match heard {
                Heard::SessionOver | Heard::Request { .. } => self.closing = None,
                Heard::Reset | Heard::Down(_) => (self.closing, self.revive) = (None, Some(self.last + REVIVE)),
                Heard::Up { .. } => self.revive = None,
                Heard::SessionOpen
                | Heard::Withdrawn
                | Heard::Success
                | Heard::Failure
                | Heard::Lost
                | Heard::CashSale { .. } => {}
            }
            self.heard.push_back(heard);
        }
    }

    /// Nobody told that our answer arrived. An approval is never sent twice.
    fn no_ack(&mut self, sent: Sent) {
        let is_begin = self.reader.as_ref().is_some_and(Reader::is_beginning);
        if self.wire.acks && is_begin {
            if sent.tries == BEGINS {
                self.heard.push_back(Heard::Down(Trouble::NotPolled));
            }
            self.sent = Some(Sent { again: true, ..sent });
        } else {
            self.with_reader(Reader::passed_on);
        }
    }
}

impl Link for Hex {
    fn opened(&mut self, now: Duration) {
        self.closed();
        self.reader = Some(Reader::new(self.can));
        self.revive = Some(now + REVIVE);
        self.with_reader(|_| {});
    }

    fn closed(&mut self) {
        *self = Self::new(self.wire, self.can);
    }

    fn received(&mut self, now: Duration, bytes: &[u8]) {
        let mut found = Vec::new();
        self.last = now;
        self.frames.push(now, bytes, &mut found);
        self.passed(found);
    }

    fn woken(&mut self, now: Duration) {
        let mut found = Vec::new();
        self.frames.silence(now, &mut found);
        self.passed(found);
        if let Some(sent) = self.sent.filter(|sent| !sent.again && sent.until <= now) {
            self.no_ack(sent);
        }
        if self.closing.is_some_and(|until| until <= now) {
            self.closing = None;
            self.with_reader(Reader::abandon);
        }
        if self.revive.is_some_and(|due| due <= now) {
            self.revive = Some(now + REVIVE);
            self.with_reader(Reader::revive);
        }
    }

    fn due(&self) -> Option<Duration> {
        let sent = self.sent.filter(|sent| !sent.again).map(|sent| sent.until);
        let waits = self.reader.as_ref().is_some_and(Reader::waits) && self.sent.is_none_or(|sent| sent.again);
        let pause = waits.then_some(self.pause);
        [self.frames.due(), sent, self.closing, self.revive, pause].into_iter().flatten().min()
    }

    fn to_send(&mut self, now: Duration) -> Option<Vec<u8>> {
        let tries = match self.sent {
            None => 1,
            Some(Sent { again: true, tries, .. }) => tries + 1,
            Some(Sent { again: false, .. }) => return None,
        };
        if now < self.pause {
            return None;
        }
        let status = self.reader.as_mut()?.hand()?;
        self.pause = now + PAUSE;
        let pause = match (self.wire.acks, tries) {
            (false, _) => GAP,
            (true, ..=BEGINS) => ACK_WITHIN,
            (true, _) => BEGIN_AGAIN,
        };
        self.sent = Some(Sent { until: now + pause, tries, again: false });
        if status == Status::CancelSession {
            self.closing = Some(now + COMPLETE_WITHIN);
        }
        Some(encode(status.encode(), self.wire.sends_checksum, self.wire.sends_text))
    }

    fn heard(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    fn begin(&mut self, _now: Duration, credit: u16) {
        self.with_reader(|reader| reader.begin(credit));
    }

    fn approve(&mut self, _now: Duration, steps: u16) {
        self.with_reader(|reader| reader.approve(steps));
    }

    fn take_back(&mut self, _now: Duration) -> bool {
        let mut taken = false;
        self.with_reader(|reader| taken = reader.take_back_approval());
        taken
    }

    fn deny(&mut self, _now: Duration) {
        self.with_reader(Reader::deny);
    }

    fn finish(&mut self, _now: Duration) {
        self.with_reader(Reader::finish);
    }
}

#[cfg(test)]
mod tests;
