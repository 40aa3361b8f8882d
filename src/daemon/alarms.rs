//! What a channel warns a person of, kept until somebody has seen to it. In memory: an alarm moves no money, stops no sale,
//! and what it is about stands in the merchant portal too.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use payment::channel::ChannelId;
use serde::{Deserialize, Serialize};

/// So many stand at once; beyond them the oldest goes, and is counted.
const STANDING_MAX: usize = 64;
/// So many numbers are remembered: a notice comes up to 15 times, over a day (reference/wechatpay.md 7).
const NUMBERS_MAX: usize = 512;

/// One alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its number, by which a person ends it.
    pub id: String,
    /// Who warns.
    pub channel: ChannelId,
    /// Of what, in the channel's words.
    pub event: String,
    /// When, as the channel writes it.
    pub at: String,
    /// What it says, for people.
    pub text: String,
}

/// The alarms that stand. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Alarms(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    standing: VecDeque<Alarm>,
    /// How many went unseen because there were too many.
    dropped: u64,
    /// The numbers of all that were raised lately, ended or not.
    known: VecDeque<String>,
}

impl Alarms {
    /// Takes one in; `false` when it was raised before, whether or not a person ended it since.
    #[must_use]
    pub fn raise(&self, alarm: Alarm) -> bool {
        let mut kept = self.kept();
        if kept.known.contains(&alarm.id) {
            return false;
        }
        // Not its text: nobody knows what WeChat Pay may write there some day, and logs go far.
        tracing::warn!(id = alarm.id, event = alarm.event, "a channel warns of something; `till alarms` shows it");
        push(&mut kept.known, alarm.id.clone(), NUMBERS_MAX);
        let too_many = push(&mut kept.standing, alarm, STANDING_MAX);
        kept.dropped = kept.dropped.saturating_add(u64::from(too_many));
        true
    }

    /// A person has seen to it; `false` when there is none with this number.
    #[must_use]
    pub fn end(&self, id: &str) -> bool {
        let mut kept = self.kept();
        let before = kept.standing.len();
        kept.standing.retain(|alarm| alarm.id != id);
        kept.standing.len() < before
    }

    /// Those that stand, the oldest first, and how many went unseen because there were too many.
    #[must_use]
    pub fn standing(&self) -> (Vec<Alarm>, u64) {
        let kept = self.kept();
        (kept.standing.iter().cloned().collect(), kept.dropped)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds one; whether the oldest had to go for it.
fn push<T>(row: &mut VecDeque<T>, new: T, most: usize) -> bool {
    row.push_back(new);
    row.len() > most && row.pop_front().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(id: &str) -> Alarm {
        let [event, at, text] =
            ["VIOLATION.PUNISH", "2026-05-28T10:00:00+08:00", "a rule was broken"].map(str::to_owned);
        Alarm { id: id.to_owned(), channel: ChannelId::Wechat, event, at, text }
    }

    #[test]
    fn an_alarm_stands_until_a_person_ends_it_and_a_repeated_notice_does_not_bring_it_back() {
        let alarms = Alarms::default();
        assert!(alarms.raise(alarm("1")) && !alarms.raise(alarm("1")));
        assert_eq!(alarms.standing(), (vec![alarm("1")], 0));
        assert!(alarms.end("1") && !alarms.end("1"));
        assert!(!alarms.raise(alarm("1")));
        assert_eq!(alarms.standing(), (Vec::new(), 0));
    }

    #[test]
    fn no_more_are_kept_than_fit_and_what_had_to_go_is_counted() {
        let alarms = Alarms::default();
        for number in 0..STANDING_MAX + 3 {
            assert!(alarms.raise(alarm(&number.to_string())));
        }
        let (standing, dropped) = alarms.standing();
        assert_eq!((standing.len(), dropped, standing[0].id.as_str()), (STANDING_MAX, 3, "3"));
    }
}
