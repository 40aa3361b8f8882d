//! What an order becomes of each answer in each state of its attempt.
//!
//! The other tests play a channel that is right; here the channel says anything at any moment, and then nothing for a
//! day. A cell is what is known of the attempt's money at once, and what the order is after that day: `sold`, `nothing`
//! (over, and nothing was paid), `returned`, or still `open`, `returning`, `owed`.
//!
//! | row | why |
//! |---|---|
//! | `asked-for-a-code` | nobody saw a code: whatever was said, nobody paid |
//! | `closed`, `cancelled` | not an end by itself: it is asked until no payment can come any more, and the silence goes on |
//! | `cancelling-in-doubt`, `cancelled` | the cancel may still return what was paid: no goods, and no refund beside it |
//! | `closing-no-trade`, `cancel-refused` | the buyer has gone: what was paid goes back |
//! | `refund-refused` | the trade is asked after; one that is closed has given its money back, any other "not paid" contradicts the payment |

use super::stage::{DAY, PRICE, RETURNING, SHOWN, Stage, State, TAKEN, receipt};
use crate::channel::outcome::{CodeAnswer, Doubt, DoubtKind, Outcome, RefundOutcome, Refusal, Reversal, Waiting, Why};
use crate::channel::{Answer, ChannelId};
use crate::money::Fen;

/// A line with `|` names the answers of the columns below it; the other lines begin with a state.
const TABLE: &str = "
|                   ready       no-code        known          code-doubt
asked-for-a-code    open/open   unpaid/nothing open/nothing   open/nothing

|                   paid           paid-other not-paid       is-closed      no-trade  confirming doubt
shown               paid/sold      open/open  unpaid/nothing unpaid/nothing open/open open/open  open/open
scanned             paid/sold      open/open  unpaid/nothing unpaid/nothing open/open open/open  open/open
shown-and-restarted paid/sold      open/open  unpaid/nothing unpaid/nothing open/open open/open  open/open
closing-in-doubt    paid/sold      open/open  open/open      open/open      open/open open/open  open/open
closing-no-trade    paid/returning open/open  open/open      open/open      open/open open/open  open/open
closed              paid/sold      open/open  open/open      open/open      open/open open/open  open/open
sent                paid/sold      open/open  unpaid/nothing unpaid/nothing open/open open/open  open/open
confirming          paid/sold      open/open  unpaid/nothing unpaid/nothing open/open open/open  open/open
unknown             paid/sold      open/open  unpaid/nothing unpaid/nothing open/open open/open  open/open
sent-and-restarted  paid/sold      open/open  unpaid/nothing unpaid/nothing open/open open/open  open/open
cancelling-in-doubt open/open      open/open  open/open      open/open      open/open open/open  open/open
cancel-refused      paid/returning open/open  open/open      open/open      open/open open/open  open/open
cancelled           open/open      open/open  open/open      open/open      open/open open/open  open/open
refund-refused      paid/owed      paid/owed  paid/owed      paid/returned  paid/owed paid/owed  paid/owed

|                   closed    undone    nothing-to-undo again     ask       undo-doubt
closing             open/open open/open open/open       open/open open/open open/open
cancelling          open/open open/open open/open       open/open open/open open/open

|                   done          not-moved      absent         short     refused   failed    refund-doubt
refunding           paid/returned paid/returning paid/returning paid/owed paid/owed paid/owed paid/returning
refund-asked-after  paid/returned paid/returning paid/returning paid/owed paid/owed paid/owed paid/returning
";

const WHYS: [Why; 6] = [Why::RefreshCode, Why::Buyer, Why::NewNumber, Why::Order, Why::Setup, Why::Closed];

const DOUBTS: [DoubtKind; 7] = [
    DoubtKind::NoConnection,
    DoubtKind::NoReply,
    DoubtKind::ChannelTrouble,
    DoubtKind::BadSignature,
    DoubtKind::Malformed,
    DoubtKind::Unlisted,
    DoubtKind::WrongOrder,
];

fn refusals() -> Vec<Refusal> {
    WHYS.map(|why| Refusal { code: "REFUSED".into(), why }).into()
}

fn doubts() -> Vec<Doubt> {
    DOUBTS.map(|kind| Doubt::new(kind, "doubt")).into()
}

/// Every answer of this name: refusals of every kind, doubts of every kind.
fn answers(name: &str) -> Vec<Answer> {
    let code = "CODE".to_owned();
    match name {
        "ready" => vec![Answer::Code(CodeAnswer::Ready("https://qr.example/2".into()))],
        "no-code" => refusals().into_iter().map(|refusal| Answer::Code(CodeAnswer::Refused(refusal))).collect(),
        "known" => vec![Answer::Code(CodeAnswer::Ask { code })],
        "code-doubt" => doubts().into_iter().map(|doubt| Answer::Code(CodeAnswer::Unknown(doubt))).collect(),
        "paid" => vec![Answer::Payment(Outcome::Paid(receipt(PRICE)))],
        "paid-other" => vec![Answer::Payment(Outcome::Paid(receipt(Fen::new(349))))],
        "not-paid" => not_paid(|why| why != Why::Closed),
        "is-closed" => not_paid(|why| why == Why::Closed),
        "no-trade" => vec![Answer::Payment(Outcome::Pending(Waiting::NoTrade))],
        "confirming" => vec![Answer::Payment(Outcome::Pending(Waiting::Confirming))],
        "doubt" => doubts().into_iter().map(|doubt| Answer::Payment(Outcome::Unknown(doubt))).collect(),
        "closed" => vec![Answer::Reversal(Reversal::Closed)],
        "undone" => vec![Answer::Reversal(Reversal::Refunded)],
        "nothing-to-undo" => vec![Answer::Reversal(Reversal::NoTrade)],
        "again" => vec![Answer::Reversal(Reversal::Again)],
        "ask" => vec![Answer::Reversal(Reversal::Ask { code })],
        "undo-doubt" => doubts().into_iter().map(|doubt| Answer::Reversal(Reversal::Unknown(doubt))).collect(),
        "done" => vec![Answer::Refund(RefundOutcome::Done)],
        "not-moved" => vec![Answer::Refund(RefundOutcome::NotMoved)],
        "absent" => vec![Answer::Refund(RefundOutcome::Absent)],
        "short" => vec![Answer::Refund(RefundOutcome::ShortOfFunds)],
        "refused" => vec![Answer::Refund(RefundOutcome::Refused { code })],
        "failed" => vec![Answer::Refund(RefundOutcome::Failed { code })],
        "refund-doubt" => doubts().into_iter().map(|doubt| Answer::Refund(RefundOutcome::Unknown(doubt))).collect(),
        other => panic!("no answer {other}"),
    }
}

fn not_paid(which: impl Fn(Why) -> bool) -> Vec<Answer> {
    let wanted = refusals().into_iter().filter(|refusal| which(refusal.why));
    wanted.map(|refusal| Answer::Payment(Outcome::NotPaid(refusal))).collect()
}

fn state(name: &str) -> State {
    let mut all = SHOWN.iter().chain(TAKEN).chain(RETURNING);
    *all.find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no state {name}"))
}

fn cell(channel: ChannelId, state: State, answer: Answer) -> String {
    let mut stage = Stage::in_state(channel, state);
    stage.answer(answer);
    let at_once = stage.attempt();
    stage.silent_for(DAY);
    format!("{at_once}/{}", stage.end())
}

#[test]
fn every_answer_in_every_state_makes_of_the_order_what_is_written_here() {
    let (mut columns, mut checked) = (Vec::new(), 0);
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let (name, cells) = line.split_once(' ').expect("columns");
        let cells: Vec<&str> = cells.split_whitespace().collect();
        if name == "|" {
            columns = cells;
            continue;
        }
        assert_eq!(cells.len(), columns.len(), "{line}");
        for (answer, wanted) in columns.iter().zip(cells) {
            must_be(name, answer, wanted);
            checked += 1;
        }
    }
    assert_eq!(checked, 4 + 14 * 7 + 2 * 6 + 2 * 7, "a state or an answer is missing");
}

/// At each channel, with each kind of refusal and of doubt.
fn must_be(name: &str, answer: &str, wanted: &str) {
    for channel in [ChannelId::Alipay, ChannelId::Wechat, ChannelId::AllinpayVsp, ChannelId::AllinpayYst] {
        for said in answers(answer) {
            let found = cell(channel, state(name), said.clone());
            assert_eq!(found, wanted, "{said:?} at {channel:?} when {name}");
        }
    }
}

#[test]
fn every_state_is_in_the_table() {
    for (name, _) in SHOWN.iter().chain(TAKEN).chain(RETURNING) {
        let rows = TABLE.lines().filter(|line| line.split(' ').next() == Some(*name));
        assert_eq!(rows.count(), 1, "{name}");
    }
}

/// After a refusal the order is still the buyer's: another code pays it. What is wrong with the merchant's set-up ends it,
/// because no code can pay then, and is for a person.
#[test]
fn a_refused_pay_code_leaves_the_order_to_the_next_one() {
    for refusal in refusals() {
        let mut stage = Stage::in_state(ChannelId::Alipay, state("sent"));
        let why = refusal.why;
        stage.answer(Answer::Payment(Outcome::NotPaid(refusal)));
        if why == Why::Setup {
            assert_eq!((stage.attempt(), stage.end()), ("unpaid", "nothing"));
            assert!(!stage.raised.is_empty());
            continue;
        }
        assert_eq!((stage.attempt(), stage.end()), ("unpaid", "open"), "{why:?}");
        assert_eq!(stage.raised, [], "{why:?}");
        stage.show_pay_code("5");
        stage.answer(Answer::Payment(Outcome::Paid(receipt(PRICE))));
        assert_eq!((stage.attempt(), stage.end()), ("paid", "sold"), "{why:?}");
    }
}
