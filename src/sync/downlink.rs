//! When to ask the hub for commands, and which of them are to be done. No socket, no clock: the leaf in
//! [`link`](super::link) does what it says.

use std::collections::VecDeque;

use payment::time::{Mono, Now};

use super::backoff::Backoff;
use super::command::Delivered;
use super::uplink::Trouble;
use super::wire::{Answer, POLL_WAIT_S, RESULTS_MAX};
use crate::journal::CommandResult;

/// A hub that answers "nothing" before its time is asked again no sooner than this; twice as long when it does so again,
/// up to 16 times as long: somebody pays for the traffic.
const PAUSE_MS: u64 = 5_000;
const PAUSE_DOUBLED_MAX: u32 = 4;

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Do this command, then call [`Downlink::handled`].
    Do(Delivered),
    /// Tell the hub what was handled and these results, and ask for commands.
    Ask {
        /// The newest command that was done or refused.
        handled: u64,
        /// What became of commands.
        results: Vec<CommandResult>,
        /// So long the hub may wait for a command, in seconds. After a failure it is to answer at once: whether it works
        /// again should not take a minute to learn.
        wait_s: u64,
    },
    /// Nothing until then, or until something is told.
    Wait(Option<Mono>),
}

/// The state of what comes from the hub.
#[derive(Debug, Clone)]
pub struct Downlink {
    handled: u64,
    /// Not reported yet.
    results: VecDeque<CommandResult>,
    /// Came with the last answer and wait to be done.
    waiting: VecDeque<Delivered>,
    /// So often the first of them could not be done.
    tries: u32,
    /// Hub and journal have one history.
    agrees: bool,
    backoff: Backoff,
    not_before: Mono,
    /// Commands that are nobody's, until the operator is heard again. Each is a write to the disk, and whoever holds the
    /// hub could send as many as he likes: nothing else shortens this wait.
    strangers: Backoff,
    barred_until: Mono,
    /// Answers in a row that said "nothing" before their time.
    hasty: u32,
    trouble: Option<Trouble>,
}

impl Downlink {
    /// At a start: what the journal says was handled, and what of it was not reported. Nothing is asked or done before
    /// [`agrees`](Self::agrees).
    #[must_use]
    pub fn new(handled: u64, results: Vec<CommandResult>) -> Self {
        Self {
            handled,
            results: results.into(),
            waiting: VecDeque::new(),
            tries: 0,
            agrees: false,
            backoff: Backoff::default(),
            not_before: Mono::default(),
            strangers: Backoff::default(),
            barred_until: Mono::default(),
            hasty: 0,
            trouble: None,
        }
    }

    /// What to do now. Nothing is asked while the wall clock is not trusted: a signature holds the time.
    #[must_use]
    pub fn poll(&self, now: Now) -> Next {
        if !self.agrees {
            return Next::Wait(None);
        }
        let not_before = self.not_before.max(self.barred_until);
        if now.mono < not_before {
            return Next::Wait(Some(not_before));
        }
        if let Some(next) = self.waiting.front() {
            return Next::Do(next.clone());
        }
        if !now.wall.trusted {
            return Next::Wait(None);
        }
        Next::Ask {
            handled: self.handled,
            results: self.results.iter().take(RESULTS_MAX).cloned().collect(),
            wait_s: if self.is_failing() { 0 } else { POLL_WAIT_S },
        }
    }

    const fn is_failing(&self) -> bool {
        self.backoff.is_failing() || self.trouble.is_some()
    }

    /// Whether hub and journal have one history. If not, this may be an older journal in which commands are missing that
    /// were done: nothing is asked, and what waits is dropped. The hub sends it again.
    pub fn agrees(&mut self, agrees: bool) {
        self.agrees = agrees;
        if !agrees && !self.waiting.is_empty() {
            self.drop_waiting();
            self.trouble = None;
        }
    }

    fn drop_waiting(&mut self) {
        self.waiting.clear();
        self.tries = 0;
    }

    /// So often in a row the first of the waiting commands could not be done.
    #[must_use]
    pub const fn tries(&self) -> u32 {
        self.tries
    }

    /// What keeps commands from this terminal; `None` while all goes well.
    #[must_use]
    pub const fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// Whether `number` follows the last one that was handled. Only then is a command that nobody signed worth a
    /// refusal of its own: otherwise whoever sends it could use up the numbers that the operator has yet to give.
    #[must_use]
    pub const fn is_next(&self, number: u64) -> bool {
        number == self.handled + 1
    }

    /// The hub's answer to a poll that was asked at `asked`. The results that it carried, up to the number returned, are
    /// known to the hub: the journal may forget them. Of the commands only so many are taken as results may wait to be
    /// reported; the hub sends the others again.
    #[must_use]
    pub fn on_answer(
        &mut self,
        now: Mono,
        asked: Mono,
        reported: &[CommandResult],
        answer: Result<Vec<Delivered>, Answer>,
        entropy: u64,
    ) -> Option<u64> {
        let commands = match answer {
            Ok(commands) => commands,
            Err(answer) => {
                self.on_refusal(now, answer, entropy);
                return None;
            }
        };
        let reported = reported.last().map(|last| last.number);
        if commands.is_empty() {
            self.on_nothing(now, asked);
        } else if commands.iter().all(|command| command.number <= self.handled) {
            self.on_refusal(
                now,
                Answer::Nonsense("it sends only commands that were handled before".to_owned()),
                entropy,
            );
            return reported;
        }
        self.backoff.over();
        self.trouble = None;
        self.take(commands);
        reported
    }

    fn take(&mut self, commands: Vec<Delivered>) {
        let room = RESULTS_MAX.saturating_sub(self.results.len());
        let mut newest = self.handled;
        for command in commands {
            if command.number > newest && self.waiting.len() < room {
                newest = command.number;
                self.waiting.push_back(command);
            }
        }
    }

    /// Nothing is to be done. After a failure the hub was asked to say so at once.
    fn on_nothing(&mut self, now: Mono, asked: Mono) {
        let is_hasty = now < asked.plus(PAUSE_MS) && !self.is_failing();
        self.hasty = if is_hasty { self.hasty.saturating_add(1) } else { 0 };
        self.not_before = asked.plus(PAUSE_MS << self.hasty.saturating_sub(1).min(PAUSE_DOUBLED_MAX));
    }

    fn on_refusal(&mut self, now: Mono, answer: Answer, entropy: u64) {
        let (trouble, asked_for_s) = match answer {
            Answer::NotAccepted(said) => (Trouble::NotAccepted(said), None),
            Answer::NotNow { detail, retry_after_s } => (Trouble::NotNow(detail), retry_after_s),
            Answer::Nonsense(what) => (Trouble::Nonsense(what), None),
            Answer::BadBatch(said) => (Trouble::Nonsense(said.to_string()), None),
            Answer::Taken { .. } | Answer::Gap { .. } | Answer::Fork { .. } => {
                (Trouble::Nonsense("it answers a poll as if it were entries".to_owned()), None)
            }
        };
        self.not_before = self.backoff.failed(now, asked_for_s, entropy);
        self.trouble = Some(trouble);
    }

    /// The results up to this number are forgotten.
    pub fn reported(&mut self, up_to: u64) {
        self.results.retain(|result| result.number > up_to);
    }

    /// The results could not be forgotten: they are reported again, and not in a circle.
    pub fn not_forgotten(&mut self, now: Mono, why: String, entropy: u64) {
        self.not_before = self.backoff.failed(now, None, entropy);
        self.trouble = Some(Trouble::Journal(why));
    }

    /// The first of the waiting commands is done or refused, and that is durable.
    pub fn handled(&mut self, result: CommandResult) {
        self.waiting.pop_front();
        self.note(result);
        self.backoff.over();
        self.strangers.over();
        self.trouble = None;
        self.not_before = Mono::default();
    }

    fn note(&mut self, result: CommandResult) {
        self.tries = 0;
        self.handled = self.handled.max(result.number);
        self.results.push_back(result);
    }

    /// The first of the waiting commands cannot be done now, or what became of it not made durable.
    pub fn not_now(&mut self, now: Mono, number: u64, why: String, entropy: u64) {
        self.not_before = self.backoff.failed(now, None, entropy);
        self.tries = self.tries.saturating_add(1);
        self.trouble = Some(Trouble::Undone { number, why, tries: self.tries });
    }

    /// The first of the waiting commands is next and nobody's: that it was refused is durable. Those after it are dropped:
    /// each of them would be next in its turn.
    pub fn forged(&mut self, now: Mono, result: CommandResult, entropy: u64) {
        let what = format!("it sends a command that is not the operator's ({})", result.detail);
        self.note(result);
        self.bar(now, what, entropy);
    }

    /// The first of the waiting commands is nobody's and not next: it is dropped, and its sender is no hub.
    pub fn dropped(&mut self, now: Mono, why: &str, entropy: u64) {
        self.bar(now, format!("it sends commands out of turn, and {why}"), entropy);
    }

    fn bar(&mut self, now: Mono, what: String, entropy: u64) {
        self.drop_waiting();
        self.barred_until = self.strangers.failed(now, None, entropy);
        self.trouble = Some(Trouble::Nonsense(what));
    }

    /// Somebody wants it asked now, or the network is back. A hub that sends what is nobody's has to wait all the same.
    pub fn ask_now(&mut self) {
        self.not_before = Mono::default();
    }
}

#[cfg(test)]
mod tests {
    use payment::time::Wall;

    use super::*;
    use crate::journal::CommandOutcome;
    use crate::sync::wire::Said;

    fn at(ms: u64) -> Now {
        Now { mono: Mono(ms), wall: Wall { ms: 1_790_000_000_000, trusted: true } }
    }

    fn command(number: u64) -> Delivered {
        Delivered { number, command: format!("{{\"n\":{number}}}"), signature: String::new() }
    }

    fn done(number: u64) -> CommandResult {
        CommandResult { number, outcome: CommandOutcome::Done, detail: String::new() }
    }

    fn ask(handled: u64, results: &[CommandResult]) -> Next {
        Next::Ask { handled, results: results.to_vec(), wait_s: POLL_WAIT_S }
    }

    fn refused(number: u64) -> CommandResult {
        CommandResult { number, outcome: CommandOutcome::Refused, detail: "not signed".to_owned() }
    }

    /// At a start, when the hub has said where it stands.
    fn agreed(handled: u64, results: Vec<CommandResult>) -> Downlink {
        let mut down = Downlink::new(handled, results);
        down.agrees(true);
        down
    }

    #[test]
    fn of_forged_commands_one_is_noted_in_a_wait_and_the_waits_grow_whatever_else_the_hub_says() {
        let mut down = agreed(0, Vec::new());
        let mut waits = Vec::new();
        let mut now = 0;
        for number in 1..=10 {
            // In between it plays the honest hub, and somebody pushes.
            let _none = down.on_answer(Mono(now), Mono(now), &[], Ok(Vec::new()), 0);
            let forged = (number..number + 20).map(command).collect();
            let _none = down.on_answer(Mono(now), Mono(now), &[], Ok(forged), 0);
            down.ask_now();
            assert_eq!(down.poll(at(now)), Next::Do(command(number)));
            down.forged(Mono(now), refused(number), u64::MAX);
            assert!(down.trouble().unwrap().needs_a_person());
            down.reported(number);
            down.ask_now();
            let Next::Wait(Some(until)) = down.poll(at(now)) else {
                panic!("the next forged command is noted at once")
            };
            waits.push(until.0 - now);
            now = until.0;
        }
        assert!(waits[9] > 30_000 && waits[9] > waits[0], "{waits:?}");
        down.handled(done(11));
        assert!(!down.strangers.is_failing() && down.trouble().is_none(), "the operator is heard again");
    }

    #[test]
    fn no_more_commands_are_taken_than_results_may_wait() {
        let results: Vec<_> = (1..=48).map(done).collect();
        let mut down = agreed(48, results.clone());
        let many = || Ok((49..=20_000).map(command).collect());
        let _up_to = down.on_answer(Mono(0), Mono(0), &results, many(), 0);
        for number in [49, 50] {
            assert_eq!(down.poll(at(0)), Next::Do(command(number)));
            down.handled(done(number));
        }
        assert!(matches!(down.poll(at(0)), Next::Ask { .. }), "more is done than can be reported");
        let _up_to = down.on_answer(Mono(0), Mono(0), &[], many(), 0);
        assert!(matches!(down.poll(at(0)), Next::Ask { .. }));
        down.not_forgotten(Mono(0), "the disk".to_owned(), 100);
        assert!(matches!(down.poll(at(0)), Next::Wait(Some(_))), "asked in a circle");
    }

    #[test]
    fn nothing_is_asked_or_done_before_hub_and_journal_agree_and_no_more_when_they_do_not() {
        let mut down = Downlink::new(2, vec![done(2)]);
        assert_eq!(down.poll(at(0)), Next::Wait(None));
        down.agrees(true);
        assert_eq!(down.poll(at(0)), ask(2, &[done(2)]));
        let _none = down.on_answer(Mono(0), Mono(0), &[], Ok(vec![command(3)]), 0);
        down.not_now(Mono(0), 3, "the disk".to_owned(), 0);
        down.agrees(false);
        assert_eq!((down.poll(at(9_000)), down.trouble()), (Next::Wait(None), None));
        down.agrees(true);
        assert!(matches!(down.poll(at(9_000)), Next::Ask { .. }), "a command of before was kept");
    }

    #[test]
    fn a_command_that_cannot_be_done_is_seen_and_is_for_a_person_the_third_time() {
        let mut down = agreed(0, Vec::new());
        let _none = down.on_answer(Mono(0), Mono(0), &[], Ok(vec![command(1)]), 0);
        let seen: Vec<_> = (0..3)
            .map(|_| {
                down.not_now(Mono(0), 1, "the disk fails".to_owned(), 0);
                down.trouble().unwrap().needs_a_person()
            })
            .collect();
        assert_eq!((seen, down.tries()), (vec![false, false, true], 3));
        assert!(down.trouble().unwrap().to_string().contains("command 1"));
        down.handled(done(1));
        assert_eq!((down.trouble(), down.tries()), (None, 0));
    }

    #[test]
    fn commands_are_done_in_their_order_reported_and_forgotten() {
        let mut down = agreed(2, vec![done(2)]);
        assert_eq!(down.poll(at(0)), ask(2, &[done(2)]));
        let reported = down.on_answer(Mono(10), Mono(0), &[done(2)], Ok(vec![command(2), command(3), command(4)]), 0);
        assert_eq!(reported, Some(2));
        down.reported(2);
        assert_eq!(down.poll(at(10)), Next::Do(command(3)), "a command at the mark was done again");
        assert!(down.is_next(3) && !down.is_next(4));
        down.handled(done(3));
        assert_eq!(down.poll(at(11)), Next::Do(command(4)));
        down.handled(done(4));
        assert_eq!(down.poll(at(12)), ask(4, &[done(3), done(4)]));
    }

    #[test]
    fn a_result_stays_until_the_hub_answered_the_poll_that_carried_it() {
        let mut down = agreed(1, vec![done(1)]);
        assert_eq!(down.on_answer(Mono(9), Mono(0), &[done(1)], Err(Answer::none("reset")), 0), None);
        let at_once = Next::Ask { handled: 1, results: vec![done(1)], wait_s: 0 };
        assert_eq!(down.poll(at(600)), at_once, "whether the hub works again would be learnt a minute later");
        assert_eq!(down.on_answer(Mono(610), Mono(600), &[done(1)], Ok(Vec::new()), 0), Some(1));
        down.reported(1);
        assert_eq!(down.poll(at(600 + PAUSE_MS)), ask(1, &[]));
    }

    #[test]
    fn a_hub_that_never_waits_is_asked_less_and_less_often() {
        let mut down = agreed(0, Vec::new());
        let mut now = 0;
        let pauses: Vec<u64> = (0..7)
            .map(|_| {
                let _none = down.on_answer(Mono(now + 1), Mono(now), &[], Ok(Vec::new()), 0);
                let Next::Wait(Some(at)) = down.poll(at(now + 1)) else { panic!("asked in a circle") };
                let pause = at.0 - now;
                now = at.0;
                pause
            })
            .collect();
        assert_eq!(pauses, [5_000, 10_000, 20_000, 40_000, 80_000, 80_000, 80_000]);
        let _none = down.on_answer(Mono(now + 50_000), Mono(now), &[], Ok(Vec::new()), 0);
        assert_eq!(down.poll(at(now + 50_000)), ask(0, &[]));
    }

    #[test]
    fn a_hub_that_sends_what_was_handled_is_not_asked_in_a_circle() {
        let mut down = agreed(9, vec![done(9)]);
        let reported = down.on_answer(Mono(5), Mono(0), &[done(9)], Ok(vec![command(4), command(5)]), 100);
        assert_eq!(reported, Some(9));
        assert!(matches!(down.poll(at(5)), Next::Wait(Some(_))));
        assert!(down.trouble().unwrap().needs_a_person());
        for _ in 0..20 {
            let _none = down.on_answer(Mono(0), Mono(0), &[], Ok(vec![command(4)]), 250_000);
        }
        assert!(matches!(down.poll(at(200_000)), Next::Wait(Some(_))), "asked as often as at first");
    }

    #[test]
    fn a_hub_that_has_nothing_and_does_not_wait_is_not_asked_in_a_circle() {
        let mut down = agreed(0, Vec::new());
        assert_eq!(down.on_answer(Mono(5), Mono(0), &[], Ok(Vec::new()), 0), None);
        assert_eq!(down.poll(at(5)), Next::Wait(Some(Mono(PAUSE_MS))));
        assert_eq!(down.poll(at(PAUSE_MS)), ask(0, &[]));
        // One that waited as it was asked to is asked again at once.
        assert_eq!(down.on_answer(Mono(60_000), Mono(PAUSE_MS), &[], Ok(Vec::new()), 0), None);
        assert_eq!(down.poll(at(60_000)), ask(0, &[]));
    }

    #[test]
    fn every_refusal_is_asked_again_later() {
        let said = || Said { code: "x".to_owned(), detail: String::new() };
        for answer in [
            Answer::none("no route"),
            Answer::NotAccepted(said()),
            Answer::Nonsense("404".to_owned()),
            Answer::BadBatch(said()),
            Answer::Gap { acknowledged: 1 },
        ] {
            let mut down = agreed(0, Vec::new());
            let person = !matches!(answer, Answer::NotNow { .. });
            assert_eq!(down.on_answer(Mono(0), Mono(0), &[], Err(answer.clone()), 100), None);
            assert!(matches!(down.poll(at(0)), Next::Wait(Some(_))), "{answer:?}");
            assert_eq!(down.trouble().unwrap().needs_a_person(), person, "{answer:?}");
            assert!(matches!(down.poll(at(2_000)), Next::Ask { .. }), "{answer:?}");
            down.ask_now();
            assert!(matches!(down.poll(at(0)), Next::Ask { .. }));
        }
    }

    #[test]
    fn what_cannot_be_done_now_is_done_later_and_keeps_its_place() {
        let mut down = agreed(0, Vec::new());
        let _none = down.on_answer(Mono(0), Mono(0), &[], Ok(vec![command(1)]), 0);
        down.not_now(Mono(0), 1, "the disk".to_owned(), 0);
        assert!(matches!(down.poll(at(0)), Next::Wait(Some(_))));
        assert_eq!(down.poll(at(2_000)), Next::Do(command(1)));
    }

    #[test]
    fn nothing_is_asked_while_the_clock_is_not_trusted() {
        let down = agreed(0, Vec::new());
        let lost = Now { mono: Mono(0), wall: Wall { ms: 0, trusted: false } };
        assert_eq!(down.poll(lost), Next::Wait(None));
    }
}
