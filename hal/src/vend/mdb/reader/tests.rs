use super::*;
use crate::vend::mdb::money::UNKNOWN;

const CONFIG: Config = Config { level: 3, scale: 1, decimals: 2, max_response_s: 120, cash_sales: true };
const CAN: Abilities = Abilities { config: CONFIG, always_idle: true, answers_setup: true };
const REQUEST: Command = Command::VendRequest { price: 350, item: 5 };

fn setup(level: u8) -> Command {
    Command::Setup { level, columns: 0, rows: 0, display: 0 }
}

/// Polls once; the master acknowledges.
fn poll(reader: &mut Reader) -> Option<Status> {
    let status = reader.hand();
    reader.acked();
    status
}

fn heard(reader: &mut Reader) -> Vec<Heard> {
    std::iter::from_fn(|| reader.heard()).collect()
}

/// Enabled by a machine of this level.
fn enabled(level: u8, options: u32) -> Reader {
    let mut reader = Reader::new(CAN);
    for command in [Command::Reset, setup(level), Command::Options(options), Command::Enable] {
        reader.command(command);
    }
    while poll(&mut reader).is_some() {}
    heard(&mut reader);
    reader
}

/// In a session, with a request open.
fn asked() -> Reader {
    let mut reader = enabled(3, 0);
    reader.begin(UNKNOWN);
    poll(&mut reader);
    reader.command(REQUEST);
    heard(&mut reader);
    reader
}

#[test]
fn the_start_up_order_leads_to_enabled_and_just_reset_is_told_once() {
    let mut reader = Reader::new(CAN);
    assert_eq!(poll(&mut reader), Some(Status::JustReset));
    reader.command(Command::Reset);
    assert_eq!(poll(&mut reader), Some(Status::JustReset));
    assert_eq!(poll(&mut reader), None);
    reader.command(setup(2));
    assert_eq!(poll(&mut reader), Some(Status::Config(CONFIG)));
    reader.command(Command::Prices { max: 500, min: 100 });
    assert_eq!(reader.state(), State::Disabled);
    reader.command(Command::ExpansionId);
    assert_eq!(poll(&mut reader), Some(Status::Id(None)), "level 2 has no options");
    reader.command(Command::Enable);
    assert_eq!(heard(&mut reader), [Heard::Reset, Heard::Down(Trouble::Disabled), Heard::Up { always_idle: false }]);
}

#[test]
fn the_smaller_level_is_used_and_options_are_what_both_want() {
    for (level, long) in [(1, false), (2, true), (3, true), (9, true)] {
        let mut reader = enabled(level, 0);
        reader.begin(500);
        assert_eq!(poll(&mut reader), Some(Status::Begin { funds: 500, long }), "level {level}");
    }
    let mut reader = enabled(3, 0xFFFF_FFFF);
    reader.command(REQUEST);
    assert_eq!(heard(&mut reader), [Heard::Request { price: 350, item: 5 }], "always idle");
    let mut reader = enabled(3, !ALWAYS_IDLE);
    reader.command(REQUEST);
    assert_eq!((heard(&mut reader), poll(&mut reader)), (vec![], Some(Status::OutOfSequence(Some(3)))));
}

#[test]
fn a_status_is_repeated_until_it_is_acknowledged() {
    let mut reader = enabled(3, 0);
    reader.begin(500);
    let begin = reader.hand();
    assert_eq!(reader.hand(), begin);
    assert_eq!((reader.state(), heard(&mut reader)), (State::Enabled, vec![]));
    reader.acked();
    assert_eq!((reader.state(), heard(&mut reader)), (State::Idle, vec![Heard::SessionOpen]));
    assert_eq!(reader.hand(), None);
}

#[test]
fn every_command_out_of_its_place_is_answered_as_the_standard_says() {
    let wrong = [REQUEST, Command::SessionComplete, Command::Disable, Command::Cancel, Command::VendCancel];
    for command in wrong {
        let mut reader = Reader::new(CAN);
        poll(&mut reader);
        reader.command(command);
        assert_eq!(poll(&mut reader), Some(Status::OutOfSequence(None)), "{command:?} when inactive");
    }
    let mut reader = enabled(3, 0);
    reader.command(setup(3));
    assert_eq!(poll(&mut reader), Some(Status::OutOfSequence(Some(3))));
    reader.command(Command::Cancel);
    assert_eq!((poll(&mut reader), reader.state()), (Some(Status::Cancelled), State::Enabled));
    for (command, status) in [
        (Command::NegativeVend { value: 1, item: 1 }, Status::Denied),
        (Command::Revalue { amount: 1 }, Status::RevalueDenied),
        (Command::RevalueLimit, Status::RevalueLimit),
    ] {
        reader.command(command);
        assert_eq!(poll(&mut reader), Some(status));
    }
}

#[test]
fn a_cancel_takes_an_approval_back_that_nobody_has_and_no_other() {
    // Not on its way: dropped.
    let mut reader = asked();
    reader.approve(350);
    reader.command(Command::VendCancel);
    assert_eq!((heard(&mut reader), poll(&mut reader)), (vec![Heard::Withdrawn], Some(Status::Denied)));
    assert_eq!((poll(&mut reader), reader.state()), (None, State::Idle));
    // On its way: DENIED as well, and the machine has the last word.
    let mut reader = asked();
    reader.approve(350);
    reader.hand();
    reader.command(Command::VendCancel);
    assert_eq!((heard(&mut reader), reader.state()), (vec![], State::Vend));
    assert_eq!(poll(&mut reader), Some(Status::Approved(350)));
    assert_eq!(poll(&mut reader), Some(Status::Denied));
    reader.command(Command::VendSuccess { item: 5 });
    assert_eq!(heard(&mut reader), [Heard::Success]);
    // Delivered: out of sequence.
    let mut reader = asked();
    reader.approve(350);
    poll(&mut reader);
    reader.command(Command::VendCancel);
    assert_eq!((heard(&mut reader), poll(&mut reader)), (vec![], Some(Status::OutOfSequence(Some(5)))));
}

#[test]
fn a_request_is_approved_once_and_never_after_it_was_denied() {
    let mut reader = asked();
    reader.approve(350);
    reader.approve(350);
    reader.deny();
    assert_eq!((poll(&mut reader), poll(&mut reader)), (Some(Status::Approved(350)), None));
    let mut reader = asked();
    reader.deny();
    reader.approve(350);
    assert_eq!((poll(&mut reader), poll(&mut reader)), (Some(Status::Denied), None));
    let mut reader = enabled(3, 0);
    reader.approve(350);
    assert_eq!(poll(&mut reader), None);
}

#[test]
fn whatever_the_machine_does_next_settles_the_request_before() {
    let approved = |handed: bool| {
        let mut reader = asked();
        reader.approve(350);
        if handed {
            poll(&mut reader);
        }
        reader
    };
    let complete = Command::SessionComplete;
    let next = Command::VendRequest { price: 120, item: 7 };
    let cases = [
        (approved(true), complete, Heard::Lost),
        (approved(false), complete, Heard::Withdrawn),
        (approved(true), next, Heard::Lost),
        (approved(false), next, Heard::Withdrawn),
        (asked(), complete, Heard::Withdrawn),
        (asked(), next, Heard::Withdrawn),
        (approved(true), Command::VendFailure, Heard::Failure),
        (approved(false), Command::VendFailure, Heard::Withdrawn),
        (asked(), Command::VendFailure, Heard::Withdrawn),
        (asked(), Command::VendSuccess { item: 5 }, Heard::Withdrawn),
        (asked(), Command::Disable, Heard::Withdrawn),
    ];
    for (mut reader, command, first) in cases {
        reader.command(command);
        assert_eq!(heard(&mut reader).first(), Some(&first), "{command:?}");
        let after = std::iter::from_fn(|| poll(&mut reader));
        assert!(!after.into_iter().any(|status| matches!(status, Status::Approved(_))), "{command:?}");
    }
}

#[test]
fn a_request_that_is_sent_again_is_one_request() {
    let mut reader = asked();
    reader.command(REQUEST);
    assert_eq!((heard(&mut reader), reader.state()), (vec![], State::Vend));
}

#[test]
fn an_approval_that_has_not_left_can_be_taken_back_and_one_that_has_cannot() {
    let mut reader = asked();
    reader.approve(350);
    assert!(reader.take_back_approval());
    assert_eq!((poll(&mut reader), poll(&mut reader)), (Some(Status::Denied), None));
    assert!(!reader.take_back_approval(), "there is none any more");
    let mut reader = asked();
    reader.approve(350);
    reader.hand();
    assert!(!reader.take_back_approval(), "the adapter has it");
    assert_eq!(poll(&mut reader), Some(Status::Approved(350)));
}

#[test]
fn a_credit_that_nobody_took_does_not_stand_before_the_answer_to_a_selection() {
    let mut reader = enabled(3, ALWAYS_IDLE);
    reader.begin(500);
    reader.command(REQUEST);
    reader.approve(350);
    assert_eq!(poll(&mut reader), Some(Status::Approved(350)));
}

#[test]
fn a_success_after_a_reset_is_still_heard() {
    let mut reader = asked();
    reader.approve(350);
    poll(&mut reader);
    reader.command(Command::Reset);
    reader.command(Command::VendSuccess { item: 5 });
    reader.command(Command::VendSuccess { item: 5 });
    assert_eq!(heard(&mut reader), [Heard::Reset, Heard::Success]);
    assert_eq!((poll(&mut reader), poll(&mut reader)), (Some(Status::JustReset), None));
}

#[test]
fn a_session_that_ends_late_does_not_swallow_the_next_credit() {
    let mut reader = enabled(3, 0);
    reader.begin(500);
    poll(&mut reader);
    reader.abandon();
    reader.begin(500);
    heard(&mut reader);
    reader.command(Command::SessionComplete);
    assert_eq!(heard(&mut reader), [Heard::Up { always_idle: false }], "the credit is to be begun again");
}

#[test]
fn a_session_is_finished_before_we_are_disabled() {
    let mut reader = enabled(3, 0);
    reader.begin(500);
    poll(&mut reader);
    heard(&mut reader);
    reader.command(Command::Disable);
    assert_eq!((poll(&mut reader), heard(&mut reader)), (Some(Status::CancelSession), vec![]));
    reader.command(Command::SessionComplete);
    assert_eq!(heard(&mut reader), [Heard::SessionOver, Heard::Down(Trouble::Disabled)]);
    assert_eq!((poll(&mut reader), reader.state()), (Some(Status::End), State::Disabled));
}
