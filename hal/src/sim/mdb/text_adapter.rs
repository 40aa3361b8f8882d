//! A text adapter, Qibixx MDB-USB or Pi Hat, with a machine on its bus (reference/hardware.md 3.4). Its own reader is the same
//! state machine that answers for us behind a pass-through box.

use std::{collections::VecDeque, time::Duration};

use super::{
    Adapter, Fault, REBOOT,
    vmc::{Reply, Vmc},
};
use crate::{
    sim::port::Device,
    vend::mdb::{
        block::{Command, Config, seal, unseal},
        link::{Heard, Trouble},
        money::Money,
        reader::{Abilities, Reader, State},
        text_line::Lines,
    },
};

/// What it is until it is told otherwise.
const FACTORY: Abilities = Abilities {
    config: Config { level: 3, scale: 1, decimals: 2, max_response_s: 30, cash_sales: false },
    always_idle: false,
    answers_setup: true,
};

/// The adapter.
#[derive(Debug)]
pub struct TextAdapter {
    vmc: Vmc,
    address: u8,
    can: Abilities,
    /// `None`: `C,0`.
    reader: Option<Reader>,
    lines: Lines,
    out: VecDeque<Vec<u8>>,
    dead_until: Duration,
    lose_out: bool,
    lose_in: bool,
    polls: u32,
    approvals: u32,
}

impl TextAdapter {
    /// Just powered, before this machine.
    #[must_use]
    pub fn new(vmc: Vmc) -> Self {
        Self {
            vmc,
            address: 0x10,
            can: FACTORY,
            reader: None,
            lines: Lines::default(),
            out: VecDeque::new(),
            dead_until: Duration::ZERO,
            lose_out: false,
            lose_in: false,
            polls: 0,
            approvals: 0,
        }
    }

    /// `C,VEND` that were taken.
    #[must_use]
    pub const fn approvals(&self) -> u32 {
        self.approvals
    }

    fn say(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        // What is noise anyway may arrive.
        if line.starts_with("c,") && std::mem::take(&mut self.lose_out) {
            return;
        }
        self.out.push_back(format!("{line}\r\n").into_bytes());
    }

    fn money(&self) -> Money {
        Money { scale: self.can.config.scale, decimals: self.can.config.decimals }
    }

    fn bus(&mut self, now: Duration) {
        while self.vmc.due() <= now {
            let Some(block) = self.vmc.send(now) else { continue };
            let reply = self.answer(now, &block);
            if self.vmc.hear(now, &reply)
                && matches!(reply, Reply::Data(_))
                && let Some(reader) = &mut self.reader
            {
                reader.acked();
            }
            self.report();
        }
    }

    fn answer(&mut self, now: Duration, block: &[u8]) -> Reply {
        let command = unseal(block).and_then(|block| Command::decode(self.address, block));
        let (Some(reader), Some(command), true) = (&mut self.reader, command, now >= self.dead_until) else {
            return Reply::Silence;
        };
        if command == Command::Poll {
            self.polls += 1;
            return reader.hand().map_or(Reply::Ack, |status| Reply::Data(seal(status.encode())));
        }
        reader.command(command);
        Reply::Ack
    }

    fn report(&mut self) {
        while let Some(heard) = self.reader.as_mut().and_then(Reader::heard) {
            self.tell(heard);
        }
        if self.polls >= 50 {
            self.polls = 0;
            self.say("r,ACK");
        }
    }

    fn tell(&mut self, heard: Heard) {
        let money = self.money();
        match heard {
            Heard::Up { .. } => self.say("c,STATUS,ENABLED"),
            Heard::Down(Trouble::Disabled) => self.say("c,STATUS,DISABLED"),
            Heard::Reset => self.say("c,STATUS,INACTIVE"),
            Heard::SessionOpen => self.say("c,STATUS,IDLE"),
            Heard::Request { price, item } => self.say(format!("c,STATUS,VEND,{},{item}", money.text(price))),
            Heard::Withdrawn => {
                self.say("c,ERR,VEND 1");
                self.say("c,STATUS,IDLE");
            }
            Heard::Success => {
                self.say("c,VEND,SUCCESS");
                self.say("c,STATUS,IDLE");
            }
            Heard::Failure => {
                self.say("c,ERR,VEND 3");
                self.say("c,STATUS,IDLE");
            }
            Heard::CashSale { price, item } => self.say(format!("c,SALE,{},{item}", money.text(price))),
            Heard::SessionOver | Heard::Lost | Heard::Down(Trouble::Silent | Trouble::NotPolled) => {}
        }
    }

    fn order(&mut self, line: &str) {
        match line {
            "C,0" => {
                let was_on = self.reader.take().is_some();
                self.say(if was_on { "c,0" } else { "c,ERR,\"cashless is off\"" });
            }
            "C,1" if self.reader.is_some() => self.say("c,ERR,\"cashless is on\""),
            "C,1" => {
                self.reader = Some(Reader::new(self.can));
                self.say("c,1");
                self.say("c,STATUS,INACTIVE");
            }
            "C,STOP" => self.stop(),
            "V" => self.say("v,4.0.2.0,SIMULATED"),
            _ => self.order_with_value(line),
        }
    }

    fn order_with_value(&mut self, line: &str) {
        if let Some(set) = line.strip_prefix("C,SETCONF,") {
            self.set(set);
        } else if let Some(amount) = line.strip_prefix("C,START,") {
            let funds = self.money().read(amount);
            match (&mut self.reader, funds) {
                (Some(reader), Some(funds)) if reader.state() == State::Enabled => reader.begin(funds),
                (Some(_), _) => self.say("c,ERR,\"START -3\""),
                (None, _) => self.say("c,ERR,\"cashless is off\""),
            }
        } else if let Some(amount) = line.strip_prefix("C,VEND,") {
            self.vend(amount);
        } else {
            self.say("c,UNKNOWN");
        }
    }

    fn vend(&mut self, amount: &str) {
        let steps = self.money().read(amount);
        match (&mut self.reader, steps) {
            (None, _) => self.say("c,ERR,\"cashless is off\""),
            (Some(reader), _) if !reader.is_unanswered() => self.say("c,ERR,\"VEND -3\""),
            (Some(reader), _) if amount == "-1" => {
                reader.deny();
                self.say("c,STATUS,IDLE");
            }
            (Some(_), None) => self.say("c,ERR,\"VEND -2\""),
            (Some(reader), Some(steps)) => {
                reader.approve(steps);
                self.approvals += 1;
            }
        }
    }

    fn stop(&mut self) {
        match &mut self.reader {
            None => self.say("c,ERR,\"cashless is off\""),
            Some(reader) if reader.is_unanswered() => {
                reader.deny();
                self.say("c,STATUS,IDLE");
            }
            Some(reader) => reader.finish(),
        }
    }

    fn set(&mut self, set: &str) {
        if self.reader.is_some() {
            return self.say("c,ERR,\"cashless is on\"");
        }
        let Some((name, value)) = set.split_once('=') else { return self.say("c,ERR,SET") };
        let number = match value.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => value.parse(),
        };
        let Ok(number) = number else { return self.say("c,ERR,SET") };
        let small = u8::try_from(number).unwrap_or(u8::MAX);
        match name {
            "mdb-addr" => self.address = small,
            "mdb-scale-factor" => self.can.config.scale = small,
            "mdb-decimal-places" => self.can.config.decimals = small,
            "mdb-timeout" => self.can.config.max_response_s = small,
            "mdb-always-idle" => self.can.always_idle = number == 1,
            "mdb-cashsale-enabled" => self.can.config.cash_sales = number == 1,
            "mdb-timeout-vend" | "mdb-restore-funds" => {}
            "mdb-currency-code" if number == 0x1156 => {}
            _ => return self.say("c,ERR,SET"),
        }
        self.say("c,SET,OK");
    }
}

impl Device for TextAdapter {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        if now < self.dead_until || std::mem::take(&mut self.lose_in) {
            return;
        }
        for line in self.lines.push(bytes) {
            self.order(&line);
            self.report();
        }
    }

    fn woken(&mut self, now: Duration) {
        self.bus(now);
    }

    fn due(&self) -> Option<Duration> {
        Some(self.vmc.due())
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.out.pop_front()
    }
}

impl Adapter for TextAdapter {
    fn vmc(&mut self) -> &mut Vmc {
        &mut self.vmc
    }

    fn fault(&mut self, now: Duration, fault: Fault) {
        match fault {
            Fault::Reboot => {
                self.reader = None;
                self.can = FACTORY;
                self.lines = Lines::default();
                self.out.clear();
                self.dead_until = now + REBOOT;
            }
            Fault::Noise => self.out.push_back(b"\xF0x,\x001300\r\nr,ACK\r\n".to_vec()),
            Fault::LoseOut => self.lose_out = true,
            Fault::LoseIn => self.lose_in = true,
        }
    }
}
