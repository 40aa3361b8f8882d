use super::*;

const MS: Duration = Duration::from_millis(1);

fn settings() -> Settings {
    Settings {
        address: 0x10,
        money: Money { scale: 1, decimals: 2 },
        max_response_s: 120,
        always_idle: true,
        cash_sales: true,
        more: vec!["mdb-display-time=5".into()],
    }
}

fn sent(text: &mut Text) -> Vec<String> {
    let lines = std::iter::from_fn(|| text.to_send(Duration::ZERO));
    lines.map(|line| String::from_utf8(line).unwrap().trim_end().to_owned()).collect()
}

fn heard(text: &mut Text) -> Vec<Heard> {
    std::iter::from_fn(|| text.heard()).collect()
}

fn say(text: &mut Text, lines: &[&str]) {
    for line in lines {
        text.received(MS, format!("{line}\r\n").as_bytes());
    }
}

/// Set up, enabled, and this request open.
fn asked() -> Text {
    let mut text = Text::new(settings());
    text.opened(Duration::ZERO);
    say(&mut text, &["c,0"]);
    for _ in 0..10 {
        say(&mut text, &["c,SET,OK"]);
    }
    say(&mut text, &["c,1", "c,STATUS,INACTIVE", "c,STATUS,DISABLED", "c,STATUS,ENABLED", "c,STATUS,VEND,1.50,12"]);
    sent(&mut text);
    assert_eq!(heard(&mut text).last(), Some(&Heard::Request { price: 150, item: 12 }));
    text
}

#[test]
fn the_adapter_is_told_everything_at_every_start_one_answer_at_a_time() {
    let mut text = Text::new(settings());
    text.opened(Duration::ZERO);
    let mut told = sent(&mut text);
    assert_eq!(told, ["C,0"]);
    // A line of before is no answer.
    say(&mut text, &["r,ACK", "x,10", "c,SET,OK"]);
    assert_eq!(sent(&mut text), [""; 0]);
    say(&mut text, &["c,ERR,\"cashless is off\""]);
    for _ in 0..9 {
        told.extend(sent(&mut text));
        say(&mut text, &["c,SET,OK"]);
    }
    told.extend(sent(&mut text));
    let expected = [
        "C,0",
        "C,SETCONF,mdb-addr=0x10",
        "C,SETCONF,mdb-currency-code=0x1156",
        "C,SETCONF,mdb-scale-factor=1",
        "C,SETCONF,mdb-decimal-places=2",
        "C,SETCONF,mdb-timeout=120",
        "C,SETCONF,mdb-timeout-vend=120",
        "C,SETCONF,mdb-restore-funds=1",
        "C,SETCONF,mdb-cashsale-enabled=1",
        "C,SETCONF,mdb-always-idle=1",
        "C,SETCONF,mdb-display-time=5",
    ];
    assert_eq!(told, expected);
    say(&mut text, &["c,ERR,SET"]);
    assert_eq!(sent(&mut text), ["C,1"], "a setting that is refused stops nothing");
}

#[test]
fn the_session_of_the_reference_is_played_line_by_line() {
    let mut text = asked();
    text.approve(MS, 150);
    assert_eq!(sent(&mut text), ["C,VEND,1.50"]);
    say(&mut text, &["r,ACK", "c,VEND,SUCCESS", "c,STATUS,IDLE", "c,STATUS,ENABLED"]);
    assert_eq!(heard(&mut text), [Heard::Success, Heard::SessionOver, Heard::Up { always_idle: true }]);
    let mut text = asked();
    text.approve(MS, 150);
    say(&mut text, &["c,ERR,VEND 3", "c,STATUS,IDLE"]);
    assert_eq!(heard(&mut text), [Heard::Failure]);
}

#[test]
fn an_approval_that_crosses_a_cancel_is_decided_by_what_the_adapter_says() {
    // Refused: it never got out.
    for lines in [&["c,ERR,VEND 1", "c,STATUS,IDLE", "c,ERR,\"VEND -3\""][..], &["c,ERR,\"VEND -2\""]] {
        let mut text = asked();
        text.approve(MS, 150);
        say(&mut text, lines);
        assert_eq!(heard(&mut text), [Heard::Withdrawn], "{lines:?}");
        text.woken(CROSSING * 2);
        assert_eq!(heard(&mut text), []);
    }
    // Taken back and not refused: the adapter dropped it.
    let mut text = asked();
    text.approve(MS, 150);
    say(&mut text, &["c,ERR,VEND 1", "c,STATUS,IDLE"]);
    assert_eq!(heard(&mut text), []);
    text.woken(MS + CROSSING);
    assert_eq!(heard(&mut text), [Heard::Withdrawn]);
    // The request is gone and nobody said how.
    let mut text = asked();
    text.approve(MS, 150);
    say(&mut text, &["c,STATUS,IDLE"]);
    text.woken(MS + CROSSING);
    assert_eq!(heard(&mut text), [Heard::Lost]);
}

#[test]
fn an_approval_that_meets_the_next_request_is_that_ones() {
    let mut text = asked();
    text.approve(MS, 150);
    sent(&mut text);
    say(&mut text, &["c,ERR,VEND 1", "c,STATUS,IDLE", "c,STATUS,VEND,5.00,6"]);
    text.woken(MS + CROSSING);
    assert_eq!((heard(&mut text), sent(&mut text)), (vec![], vec![]), "no second one is asked for, nor approved");
    say(&mut text, &["c,VEND,SUCCESS"]);
    assert_eq!(heard(&mut text), [Heard::Success]);
}

#[test]
fn a_price_that_is_no_whole_number_of_steps_is_denied() {
    let mut text = asked();
    say(&mut text, &["c,STATUS,VEND,1.505,12"]);
    assert_eq!(sent(&mut text), ["C,VEND,-1"]);
}

#[test]
fn a_reboot_is_noticed_by_its_line_or_by_asking_after_a_silence() {
    let mut text = asked();
    say(&mut text, &["c,STATUS,INACTIVE"]);
    assert_eq!((heard(&mut text), sent(&mut text)), (vec![Heard::Reset], vec!["C,0".to_owned()]));
    // Still on: nothing happens.
    let mut text = asked();
    text.woken(MS + CHECK_AFTER);
    assert_eq!(sent(&mut text), ["C,1"]);
    say(&mut text, &["c,ERR,\"cashless is on\""]);
    assert_eq!((heard(&mut text), sent(&mut text)), (vec![], vec![]));
    // Off: all is told again.
    text.woken(MS + CHECK_AFTER * 2);
    sent(&mut text);
    say(&mut text, &["c,1"]);
    assert_eq!((heard(&mut text), sent(&mut text)), (vec![Heard::Reset], vec!["C,0".to_owned()]));
    // Dead.
    let mut text = asked();
    text.woken(MS + CHECK_AFTER);
    text.woken(MS + CHECK_AFTER + CHECK_WITHIN);
    assert_eq!(heard(&mut text), [Heard::Down(Trouble::Silent), Heard::Reset]);
}

#[test]
fn a_denial_that_does_nothing_becomes_a_stop() {
    let mut text = asked();
    text.deny(MS);
    assert_eq!(sent(&mut text), ["C,VEND,-1"]);
    text.woken(MS + CROSSING);
    assert_eq!(sent(&mut text), ["C,STOP"]);
    say(&mut text, &["c,STATUS,IDLE", "c,STATUS,ENABLED"]);
    text.woken(MS + STOP_WITHIN * 3);
    assert_eq!(sent(&mut text), [""; 0]);
}
