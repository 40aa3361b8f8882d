//! Who may speak when: we answer a POLL with the packet whose turn it is, or with ACK; every packet of the machine gets an ACK.
//!
//! A packet that is not acknowledged is sent again with its number at the next POLL, five times at most. What turns a motor is
//! sent once: that a machine knows a repeat by its number is what the paper says, and a machine that was just switched off and on
//! has forgotten it.

use std::{collections::VecDeque, time::Duration};

use super::packet::{ACK, POLL, Packet, Reader};

/// Once, and five repeats (reference/hardware.md 3.6).
const SENDS_MAX: u8 = 6;
/// At 57600 the longest packet takes 45 ms: what was begun longer ago has lost its rest.
const PACKET_WITHIN: Duration = Duration::from_millis(60);

/// A packet of ours, from being wanted to being acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u32);

/// What the link has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// The machine acknowledged this packet of ours.
    Taken(Ticket),
    /// This packet was not acknowledged and will not be sent any more; it may have arrived.
    GivenUp(Ticket),
    /// The machine says something: command and text, without the number. Never twice the same.
    Said(u8, Vec<u8>),
}

struct Outgoing {
    ticket: Ticket,
    sends_max: u8,
    command: u8,
    text: Vec<u8>,
}

struct UnderWay {
    ticket: Ticket,
    packet: Packet,
    sends_left: u8,
}

/// What is to be answered.
enum Asked {
    Poll,
    Said,
}

#[derive(Default)]
pub(super) struct Link {
    reader: Reader,
    last_byte: Duration,
    last_packet: Duration,
    /// The number of our last packet.
    number: u8,
    tickets: u32,
    waiting: VecDeque<Outgoing>,
    under_way: Option<UnderWay>,
    /// The machine's last packet, to know its repeat.
    last_said: Option<Packet>,
    send: Option<Vec<u8>>,
    heard: VecDeque<Heard>,
}

impl Link {
    /// The port was opened anew: nothing that waited is wanted any more.
    pub(super) fn reset(&mut self, now: Duration) {
        // The machine may still repeat what it said last, and counts on.
        let (number, tickets, last_said) = (self.number, self.tickets, self.last_said.take());
        *self = Self { number, tickets, last_said, last_byte: now, last_packet: now, ..Self::default() };
    }

    /// Queues a packet for the next POLL that has room. What waits already is not queued again: a machine that talks and never
    /// asks would have us store up answers without an end.
    pub(super) fn say(&mut self, command: u8, text: &[u8]) -> Ticket {
        let waits =
            |waiting: &&Outgoing| (waiting.command, waiting.sends_max) == (command, SENDS_MAX) && waiting.text == text;
        let waiting = self.waiting.iter().find(waits).map(|waiting| waiting.ticket);
        waiting.unwrap_or_else(|| self.queue(command, text, SENDS_MAX))
    }

    /// The same, but never a second time.
    pub(super) fn say_once(&mut self, command: u8, text: &[u8]) -> Ticket {
        self.queue(command, text, 1)
    }

    fn queue(&mut self, command: u8, text: &[u8], sends_max: u8) -> Ticket {
        self.tickets = self.tickets.wrapping_add(1);
        let ticket = Ticket(self.tickets);
        self.waiting.push_back(Outgoing { ticket, sends_max, command, text: text.into() });
        ticket
    }

    /// Takes a packet back that was not sent yet. False: it was, once at least.
    pub(super) fn take_back(&mut self, ticket: Ticket) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.ticket != ticket);
        self.waiting.len() < before
    }

    /// The machine has shown that it knows the packet: no repeat of it.
    pub(super) fn settle(&mut self, ticket: Ticket) {
        if self.under_way.as_ref().is_some_and(|packet| packet.ticket == ticket) {
            self.under_way = None;
        }
    }

    /// Whether the packet was never sent so far.
    pub(super) fn waits(&self, ticket: Ticket) -> bool {
        self.waiting.iter().any(|waiting| waiting.ticket == ticket)
    }

    /// When the machine was last understood.
    pub(super) fn last_packet(&self) -> Duration {
        self.last_packet
    }

    pub(super) fn received(&mut self, now: Duration, bytes: &[u8]) {
        let pause = now.saturating_sub(self.last_byte);
        self.last_byte = now;
        if pause > PACKET_WITHIN {
            self.reader.forget();
        }
        self.reader.push(bytes);
        // Of several questions at once the machine waits only for the answer to the last.
        let mut asked = None;
        while let Some(packet) = self.reader.next() {
            self.last_packet = now;
            match packet.command {
                POLL => asked = Some(Asked::Poll),
                ACK => self.acknowledged(),
                _ => {
                    asked = Some(Asked::Said);
                    self.said(packet);
                }
            }
        }
        match asked {
            Some(Asked::Poll) => self.answer_poll(),
            Some(Asked::Said) => self.send = Some(Packet::bare(ACK).to_bytes()),
            None => {}
        }
    }

    pub(super) fn next_bytes(&mut self) -> Option<Vec<u8>> {
        self.send.take()
    }

    pub(super) fn heard(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    fn acknowledged(&mut self) {
        if let Some(UnderWay { ticket, .. }) = self.under_way.take() {
            self.heard.push_back(Heard::Taken(ticket));
        }
    }

    fn give_up(&mut self) {
        if let Some(UnderWay { ticket, .. }) = self.under_way.take() {
            self.heard.push_back(Heard::GivenUp(ticket));
        }
    }

    fn said(&mut self, packet: Packet) {
        if self.last_said.as_ref() == Some(&packet) {
            return;
        }
        let text = packet.text.get(1..).unwrap_or_default().to_vec();
        self.heard.push_back(Heard::Said(packet.command, text));
        self.last_said = Some(packet);
    }

    fn answer_poll(&mut self) {
        if self.under_way.as_ref().is_some_and(|packet| packet.sends_left == 0) {
            self.give_up();
        }
        if self.under_way.is_none() {
            self.under_way = self.waiting.pop_front().map(|next| {
                // 1 to 255.
                self.number = self.number.checked_add(1).unwrap_or(1);
                let packet = Packet::numbered(next.command, self.number, &next.text);
                UnderWay { ticket: next.ticket, packet, sends_left: next.sends_max }
            });
        }
        self.send = Some(match &mut self.under_way {
            Some(UnderWay { packet, sends_left, .. }) => {
                *sends_left -= 1;
                packet.to_bytes()
            }
            None => Packet::bare(ACK).to_bytes(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(10_000 + ms)
    }

    fn link() -> Link {
        let mut link = Link::default();
        link.reset(at(0));
        link
    }

    fn ask(link: &mut Link, ms: u64, packet: &Packet) -> Vec<u8> {
        link.received(at(ms), &packet.to_bytes());
        link.next_bytes().unwrap()
    }

    fn heard(link: &mut Link) -> Vec<Heard> {
        std::iter::from_fn(|| link.heard()).collect()
    }

    #[test]
    fn an_idle_poll_gets_an_ack_and_a_queued_packet_its_turn() {
        let mut link = link();
        let (poll, ack) = (Packet::bare(POLL), Packet::bare(ACK));
        assert_eq!(ask(&mut link, 200, &poll), ack.to_bytes());
        let ticket = link.say(0x06, &[1, 0, 0, 7]);
        assert_eq!(ask(&mut link, 400, &poll), Packet::numbered(0x06, 1, &[1, 0, 0, 7]).to_bytes());
        link.received(at(410), &ack.to_bytes());
        assert_eq!(heard(&mut link), [Heard::Taken(ticket)]);
        assert_eq!(ask(&mut link, 600, &poll), ack.to_bytes());
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_six_times_with_one_number() {
        let mut link = link();
        let ticket = link.say(0x05, &[0, 0]);
        let next = link.say(0x31, &[]);
        let first = Packet::numbered(0x05, 1, &[0, 0]).to_bytes();
        for turn in 1..=6 {
            assert_eq!(ask(&mut link, turn * 200, &Packet::bare(POLL)), first);
        }
        assert_eq!(heard(&mut link), []);
        assert_eq!(ask(&mut link, 1400, &Packet::bare(POLL)), Packet::numbered(0x31, 2, &[]).to_bytes());
        assert_eq!(heard(&mut link), [Heard::GivenUp(ticket)]);
        assert!(!link.take_back(next));
    }

    #[test]
    fn for_a_machine_that_talks_and_never_asks_nothing_is_stored_up() {
        let mut link = link();
        let first = link.say(0x05, &[0, 0]);
        assert!((0..10_000).all(|_| link.say(0x05, &[0, 0]) == first));
        assert_ne!(link.say_once(0x05, &[0, 0]), first, "an order is never another's");
        assert_eq!(link.waiting.len(), 2);
        ask(&mut link, 200, &Packet::bare(POLL));
        assert_ne!(link.say(0x05, &[0, 0]), first, "what was sent is said anew");
    }

    #[test]
    fn what_turns_a_motor_is_sent_once() {
        let mut link = link();
        let ticket = link.say_once(0x06, &[1, 0, 0, 7]);
        ask(&mut link, 200, &Packet::bare(POLL));
        assert_eq!(ask(&mut link, 400, &Packet::bare(POLL)), Packet::bare(ACK).to_bytes());
        assert_eq!(heard(&mut link), [Heard::GivenUp(ticket)]);
    }

    #[test]
    fn a_repeat_of_the_machine_is_acknowledged_and_not_heard_again() {
        let mut link = link();
        let said = Packet::numbered(0x04, 9, &[2, 0, 7]);
        for turn in 1..=3 {
            assert_eq!(ask(&mut link, turn * 200, &said), Packet::bare(ACK).to_bytes());
        }
        assert_eq!(heard(&mut link), [Heard::Said(0x04, vec![2, 0, 7])]);
        // The same number again after a restart of the machine, for something else.
        ask(&mut link, 800, &Packet::numbered(0x04, 9, &[3, 0, 7]));
        assert_eq!(heard(&mut link), [Heard::Said(0x04, vec![3, 0, 7])]);
    }

    #[test]
    fn of_several_questions_at_once_only_the_last_is_answered() {
        let mut link = link();
        link.say(0x31, &[]);
        let poll = Packet::bare(POLL).to_bytes();
        link.received(at(300), &[poll.clone(), poll].concat());
        assert_eq!(link.next_bytes(), Some(Packet::numbered(0x31, 1, &[]).to_bytes()));
        assert_eq!(link.next_bytes(), None);
    }

    #[test]
    fn numbers_go_from_1_to_255_and_never_0() {
        let mut link = link();
        let mut last = 0;
        for turn in 1..=600_u64 {
            link.say(0x31, &[]);
            let sent = ask(&mut link, turn * 200, &Packet::bare(POLL));
            let number = sent[4];
            assert_eq!(number, if last == 255 { 1 } else { last + 1 });
            last = number;
            link.received(at(turn * 200 + 5), &Packet::bare(ACK).to_bytes());
        }
    }
}
