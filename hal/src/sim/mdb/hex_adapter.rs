//! A pass-through box, PC2MDB or RS232-MDB, with a machine on its bus (reference/hardware.md 3.4).

use std::{collections::VecDeque, time::Duration};

use super::{
    Adapter, Fault, REBOOT,
    vmc::{Reply, Vmc},
};
use crate::{
    board::{HexForm, HexSpec},
    sim::port::Device,
    vend::mdb::{
        block::{Command, Config, Status, seal, unseal},
        hex::encode,
    },
};

/// What the host writes without a pause is one answer.
const SILENCE: Duration = Duration::from_millis(20);
/// Answers that it holds.
const PENDING_MAX: usize = 8;

/// The box.
#[derive(Debug)]
pub struct HexAdapter {
    vmc: Vmc,
    address: u8,
    spec: HexSpec,
    /// What the host is writing, and when it wrote last.
    input: (Vec<u8>, Duration),
    /// For the next polls.
    pending: VecDeque<Vec<u8>>,
    out: VecDeque<Vec<u8>>,
    dead_until: Duration,
    lose_out: bool,
    lose_in: bool,
    approvals: u32,
}

impl HexAdapter {
    /// A box of this make before this machine.
    #[must_use]
    pub fn new(vmc: Vmc, address: u8, spec: HexSpec) -> Self {
        Self {
            vmc,
            address,
            spec,
            input: (Vec::new(), Duration::ZERO),
            pending: VecDeque::new(),
            out: VecDeque::new(),
            dead_until: Duration::ZERO,
            lose_out: false,
            lose_in: false,
            approvals: 0,
        }
    }

    /// Approvals that the host has sent.
    #[must_use]
    pub const fn approvals(&self) -> u32 {
        self.approvals
    }

    /// A block for the host.
    fn pass(&mut self, block: Vec<u8>, checksum: bool) {
        if std::mem::take(&mut self.lose_out) {
            return;
        }
        let text = self.spec.receive == HexForm::Ascii;
        let mut bytes = encode(block, checksum, text);
        if text {
            // STX and ETX, as the box that was seen has them.
            bytes.insert(0, 2);
            bytes.truncate(bytes.len() - 2);
            bytes.push(3);
        }
        self.out.push_back(bytes);
    }

    fn bus(&mut self, now: Duration) {
        while self.vmc.due() <= now {
            let Some(block) = self.vmc.send(now) else { continue };
            let reply = self.answer(now, &block);
            if self.vmc.hear(now, &reply) && matches!(reply, Reply::Data(_)) {
                self.pending.pop_front();
                if self.spec.acks {
                    self.pass(vec![0], false);
                }
            }
        }
    }

    fn answer(&mut self, now: Duration, block: &[u8]) -> Reply {
        if now < self.dead_until {
            return Reply::Silence;
        }
        let Some(block) = unseal(block) else { return Reply::Silence };
        let Some(command) = Command::decode(self.address, block) else { return Reply::Silence };
        if command == Command::Poll {
            return self.pending.front().map_or(Reply::Ack, |answer| Reply::Data(answer.clone()));
        }
        if command == Command::Reset {
            self.pending.clear();
        }
        if self.spec.answers_setup {
            self.answer_by_itself(command);
        }
        self.pass(block.to_vec(), self.spec.receive_checksum);
        Reply::Ack
    }

    fn answer_by_itself(&mut self, command: Command) {
        let config = Config { level: 3, scale: 1, decimals: 2, max_response_s: 120, cash_sales: true };
        let answers = [
            (matches!(command, Command::Reset), Status::JustReset),
            (matches!(command, Command::Setup { .. }), Status::Config(config)),
            (matches!(command, Command::ExpansionId), Status::Id(Some(0))),
        ];
        let answer = answers.into_iter().find(|(is_asked, _)| *is_asked);
        self.pending.extend(answer.map(|(_, status)| seal(status.encode())));
    }

    /// An answer is complete.
    fn take(&mut self) {
        let bytes = std::mem::take(&mut self.input.0);
        let block = match self.spec.send {
            HexForm::Raw => Some(bytes),
            HexForm::Ascii => from_text(&bytes),
        };
        let block = match (block, self.spec.send_checksum) {
            (Some(block), true) => unseal(&block).is_some().then_some(block),
            (Some(block), false) => Some(seal(block)),
            (None, _) => None,
        };
        if let Some(block) = block.filter(|_| self.pending.len() < PENDING_MAX) {
            self.approvals += u32::from(block.first() == Some(&5));
            self.pending.push_back(block);
        }
    }
}

fn from_text(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.trim_end();
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

impl Device for HexAdapter {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        if now < self.dead_until || std::mem::take(&mut self.lose_in) {
            return;
        }
        self.input.0.extend_from_slice(bytes);
        self.input.1 = now;
    }

    fn woken(&mut self, now: Duration) {
        if !self.input.0.is_empty() && self.input.1 + SILENCE <= now {
            self.take();
        }
        self.bus(now);
    }

    fn due(&self) -> Option<Duration> {
        let bus = self.vmc.due();
        Some(if self.input.0.is_empty() { bus } else { bus.min(self.input.1 + SILENCE) })
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.out.pop_front()
    }
}

impl Adapter for HexAdapter {
    fn vmc(&mut self) -> &mut Vmc {
        &mut self.vmc
    }

    fn fault(&mut self, now: Duration, fault: Fault) {
        match fault {
            Fault::Reboot => {
                self.pending.clear();
                self.input.0.clear();
                self.out.clear();
                self.dead_until = now + REBOOT;
            }
            Fault::Noise => self.out.push_back(b"\x02CN0999-WFV\x03\xFF".to_vec()),
            Fault::LoseOut => self.lose_out = true,
            Fault::LoseIn => self.lose_in = true,
        }
    }
}
