//! The simulator board, a simulated machine on its lines, and a person who answers as the test says.

use std::collections::VecDeque;
use std::sync::Arc;

use hal::Key;
use hal::display::Frame;
use hal::display::test_card::TEST_CODE;
use hal::sim::bench::Bench;
use hal::sim::machine::MachineState;
use tempfile::TempDir;
use tokio::sync::watch;

use super::*;
use crate::cli::{Cli, Command};
use clap::Parser;

/// Who answers in this order, and does something to the machine at what is said.
struct Tester<'b> {
    answers: VecDeque<Option<bool>>,
    heard: Vec<String>,
    asked: Vec<String>,
    acts: Box<dyn FnMut(&str) + 'b>,
}

impl<'b> Tester<'b> {
    fn new(answers: &[Option<bool>], acts: impl FnMut(&str) + 'b) -> Self {
        Self { answers: answers.iter().copied().collect(), heard: Vec::new(), asked: Vec::new(), acts: Box::new(acts) }
    }

    fn heard(&self, part: &str) -> bool {
        self.heard.iter().any(|line| line.contains(part))
    }
}

impl Person for Tester<'_> {
    fn hears(&mut self, line: &str) {
        self.heard.push(line.to_owned());
        (self.acts)(line);
    }

    async fn answers(&mut self, question: &str, _: Duration) -> Option<bool> {
        self.asked.push(question.to_owned());
        (self.acts)(question);
        self.answers.pop_front().unwrap_or_default()
    }
}

fn board_of_the_tree(name: &str) -> BoardSpec {
    BoardSpec::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("boards/{name}.toml"))).unwrap()
}

fn bench(name: &str) -> (Bench, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Bench::start(&board_of_the_tree(name), folder.path()).unwrap(), folder)
}

fn args(words: &[&str]) -> BringupArgs {
    let cli = Cli::try_parse_from([&["till", "bringup"], words].concat()).unwrap();
    let Command::Bringup(args) = cli.command else { panic!("{words:?}") };
    args
}

async fn run(bench: &Bench, words: &[&str], person: &mut Tester<'_>) -> Answer {
    bring_up(&bench.board, &args(words), person).await.unwrap()
}

#[tokio::test]
async fn a_code_is_told_by_its_outline_and_by_what_a_sale_would_do_with_it() {
    let (bench, _folder) = bench("sim");
    let mut person = Tester::new(&[], |line| {
        if line.starts_with("hold any code") {
            bench.scan("281234567890123456");
        }
    });
    let answer = run(&bench, &["scanner"], &mut person).await;
    assert_eq!(answer.exit, Exit::Done, "{}", answer.text);
    assert!(
        person.heard("read 18 characters, 28************3456: a pay code of alipay would be taken"),
        "{:?}",
        person.heard
    );
    let all = person.heard.join("\n") + &answer.text + &answer.json.to_string();
    assert!(!all.contains("281234567890123456"));
}

#[tokio::test]
async fn a_label_is_no_pay_code_and_a_scanner_that_reads_nothing_says_what_to_try() {
    let (one, _folder) = bench("raspberry-pi-zero-2w");
    let mut person = Tester::new(&[], |line| {
        if line.starts_with("hold any code") {
            one.scan("6901234567892");
        }
    });
    let answer = run(&one, &["scanner"], &mut person).await;
    assert!(answer.text.contains("no pay code") && person.heard("the scanner is there: 7e"), "{:?}", person.heard);
    // Nothing is before the window of this one.
    let (other, _folder) = bench("raspberry-pi-zero-2w");
    let mut nobody = Tester::new(&[], |_| {});
    let silent = run(&other, &["scanner", "--seconds", "2"], &mut nobody).await;
    assert_eq!(silent.exit, Exit::Refused);
    assert!(silent.text.contains("sense or continuous mode"), "{}", silent.text);
}

#[tokio::test]
async fn a_scanner_that_is_not_there_is_told_with_what_to_do() {
    let (bench, _folder) = bench("sim");
    let mut board = bench.board.clone();
    board.scanner.path = Some("/nowhere/scanner".into());
    let mut person = Tester::new(&[], |_| {});
    let answer = bring_up(&board, &args(&["scanner", "--seconds", "1"]), &mut person).await.unwrap();
    assert!(person.heard("not there: the scanner's port /nowhere/scanner does not exist"), "{:?}", person.heard);
    assert!(answer.text.contains("till board check") && answer.exit == Exit::Refused, "{}", answer.text);
}

/// What a phone reads off the panel.
fn read(frame: &Frame) -> Option<String> {
    let rgb = frame.to_rgb();
    let width = frame.width() as usize;
    let bright = |x: usize, y: usize| rgb[(y * width + x) * 3 + 1];
    let mut photo = rqrr::PreparedImage::prepare_from_greyscale(width, frame.height() as usize, bright);
    photo.detect_grids().first()?.decode().ok().map(|(_, text)| text)
}

/// Who looks at the panel, and says yes once it shows what is asked about.
struct Looker {
    panel: watch::Receiver<Option<Arc<Frame>>>,
    asked: usize,
}

impl Person for Looker {
    fn hears(&mut self, _: &str) {}

    async fn answers(&mut self, question: &str, _: Duration) -> Option<bool> {
        self.asked += 1;
        let text = if question.contains("phone") { "TILL CAN BE READ" } else { TEST_CODE };
        let shown = self.panel.wait_for(|frame| frame.as_deref().and_then(read).as_deref() == Some(text));
        let seen = tokio::time::timeout(Duration::from_secs(20), shown).await;
        assert!(matches!(seen, Ok(Ok(_))), "{text} is not on the panel");
        Some(true)
    }
}

#[tokio::test]
async fn the_card_and_a_code_that_a_phone_reads_are_shown() {
    for name in ["sim", "raspberry-pi-zero-2w", "compute-module-4"] {
        let (bench, _folder) = bench(name);
        let mut person = Looker { panel: bench.machine.frames(), asked: 0 };
        let answer = bring_up(&bench.board, &args(&["display"]), &mut person).await.unwrap();
        assert_eq!((answer.exit, person.asked), (Exit::Done, 2), "{name}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_picture_that_is_wrong_says_which_key_to_look_at() {
    let (bench, _folder) = bench("raspberry-pi-zero-2w");
    let mut person = Tester::new(&[Some(false)], |_| {});
    let answer = run(&bench, &["display"], &mut person).await;
    assert_eq!(answer.exit, Exit::Refused);
    let mut nobody = Tester::new(&[None], |_| {});
    let unanswered = run(&bench, &["display"], &mut nobody).await;
    assert!(unanswered.text.contains("nobody answered"), "{}", unanswered.text);
    assert!(display_remedy().contains("offset_x"));
}

fn display_remedy() -> &'static str {
    super::display::remedy(hal::board::DisplayKind::Spi)
}

#[tokio::test]
async fn every_key_is_asked_for_once_and_those_that_never_came_are_named() {
    let (bench, _folder) = bench("sim");
    let keys: Vec<Key> = (0..10).map(Key::Digit).chain([Key::Ok, Key::Cancel]).collect();
    let (machine, count) = (&bench.machine, keys.len());
    let pressing = |keys: Vec<Key>| async move {
        let mut states = machine.subscribe();
        states.wait_for(|state: &MachineState| state.inputs_read == count).await.unwrap();
        keys.into_iter().for_each(|key| assert!(machine.press(key)));
    };
    let mut person = Tester::new(&[], |_| {});
    let (answer, ()) = tokio::join!(run(&bench, &["keypad"], &mut person), pressing(keys.clone()));
    assert_eq!(answer.exit, Exit::Done, "{}", answer.text);
    assert!(person.heard("that was the last"), "{:?}", person.heard);
    let some = keys[..11].to_vec();
    let mut person = Tester::new(&[], |_| {});
    let (answer, ()) = tokio::join!(run(&bench, &["keypad", "--seconds", "2"], &mut person), pressing(some));
    assert_eq!(answer.exit, Exit::Refused);
    assert!(answer.text.contains("never came: cancel"), "{}", answer.text);
}

#[tokio::test]
async fn a_motor_turns_once_after_a_yes_and_never_after_a_no() {
    let (bench, _folder) = bench("sim");
    let answers = [Some(false), Some(true), Some(false), None, Some(false), Some(false)];
    let mut person = Tester::new(&answers, |_| {});
    let answer = run(&bench, &["vend"], &mut person).await;
    assert_eq!(answer.exit, Exit::Done, "{}", answer.text);
    let state = bench.machine.state();
    assert_eq!((state.motor_starts(), state.slot("12").unwrap().drops), (1, 1));
    assert_eq!(person.asked.len(), 6);
    assert!(person.heard("the drop sensor is clear") && person.heard("slot 12: an item fell"), "{:?}", person.heard);
}

#[tokio::test]
async fn a_jam_is_told_and_is_no_success() {
    let (bench, _folder) = bench("sim");
    bench.machine.jam("11");
    let mut person = Tester::new(&[], |_| {});
    let answer = run(&bench, &["vend", "--yes", "--slot", "11"], &mut person).await;
    assert_eq!((answer.exit, bench.machine.state().motor_starts()), (Exit::Refused, 1));
    assert!(answer.text.contains("slot 11: nothing fell"), "{}", answer.text);
}

#[tokio::test]
async fn a_reader_on_mdb_waits_for_a_choice_at_the_machine() {
    let (bench, _folder) = bench("raspberry-pi-5");
    let chosen = |line: &str| {
        if line.starts_with("choose slot 12") {
            while !bench.choose(12) {
                std::thread::yield_now();
            }
        }
    };
    let mut person = Tester::new(&[], chosen);
    let answer = run(&bench, &["vend", "--yes", "--slot", "12"], &mut person).await;
    assert_eq!(answer.exit, Exit::Done, "{} {:?}", answer.text, person.heard);
    assert!(person.heard("chosen, for 100 fen"), "{:?}", person.heard);
}

#[tokio::test]
async fn a_script_names_the_slots_that_may_turn() {
    let (bench, _folder) = bench("sim");
    for (words, part) in [
        (&["vend", "--yes"][..], "name the slots"),
        (&["all", "--yes"], "name the slots"),
        (&["vend", "--slot", "99"], "no slot 99"),
        (&["printer"], "has no printer"),
    ] {
        let mut person = Tester::new(&[], |_| {});
        let refused = bring_up(&bench.board, &args(words), &mut person).await.unwrap_err();
        assert!(refused.exit() == Exit::Usage && refused.to_string().contains(part), "{refused}");
    }
    assert_eq!(bench.machine.state().motor_starts(), 0);
}

#[tokio::test]
async fn the_lamp_blinks_three_times_and_each_beep_sounds() {
    let (bench, _folder) = bench("sim");
    let mut person = Tester::new(&[Some(true)], |_| {});
    let answer = run(&bench, &["lamp"], &mut person).await;
    assert_eq!(answer.exit, Exit::Done, "{}", answer.text);
    let mut states = bench.machine.subscribe();
    let quiet = states.wait_for(|state| state.lamp_starts == 3 && state.beeps >= 4 && !state.lamp && !state.buzzer);
    tokio::time::timeout(Duration::from_secs(20), quiet).await.expect("everything was driven, and is off").unwrap();
}

#[tokio::test]
async fn lines_that_are_not_there_are_no_success_even_for_a_script() {
    let board = board_of_the_tree("raspberry-pi-4");
    let mut person = Tester::new(&[], |_| {});
    let answer = bring_up(&board, &args(&["lamp", "--yes"]), &mut person).await.unwrap();
    assert_eq!(answer.exit, Exit::Refused);
    assert!(answer.text.contains("pinctrl-bcm2711:25") && person.heard.is_empty(), "{}", answer.text);
}

#[tokio::test]
async fn a_test_receipt_comes_out_and_an_empty_roll_is_told() {
    let (bench, _folder) = bench("orange-pi-3b");
    let mut person = Tester::new(&[Some(true)], |_| {});
    let answer = run(&bench, &["printer"], &mut person).await;
    assert_eq!(answer.exit, Exit::Done, "{} {:?}", answer.text, person.heard);
    let printer = bench.printer.as_ref().unwrap();
    let lines = printer.with(|printer, _| printer.receipts()[0].lines.clone());
    assert!(lines.iter().any(|line| line.contains("没有交易")), "{lines:?}");
    printer.with(|printer, _| printer.put_in(0));
    let mut person = Tester::new(&[], |_| {});
    let empty = run(&bench, &["printer", "--seconds", "2"], &mut person).await;
    assert_eq!(empty.exit, Exit::Refused, "{}", empty.text);
    assert!(person.heard("out of paper") || empty.text.contains("out of paper"), "{:?} {}", person.heard, empty.text);
}

#[tokio::test]
async fn all_ends_with_a_table_and_one_failure_is_a_failure() {
    let (bench, _folder) = bench("luckfox-pico");
    let scans = |line: &str| {
        if line.starts_with("hold any code") {
            bench.scan("134567890123456789");
        }
    };
    let mut person = Tester::new(&[Some(true), Some(true)], scans);
    let answer = run(&bench, &["all"], &mut person).await;
    assert_eq!(answer.exit, Exit::Done, "{}", answer.text);
    assert!(answer.text.contains("display  yes") && answer.text.contains("scanner  yes"), "{}", answer.text);
    let mut person = Tester::new(&[Some(false)], scans);
    let answer = run(&bench, &["all"], &mut person).await;
    assert_eq!((answer.exit, &answer.json["works"]), (Exit::Refused, &false.into()), "{}", answer.text);
    assert!(answer.text.contains("display  NO") && answer.text.contains("scanner  yes"), "{}", answer.text);
}

#[tokio::test]
async fn a_daemon_that_answers_keeps_its_devices() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("till.sock");
    let _daemon = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let sim = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards/sim.toml");
    let refused = act(args(&["lamp", "--board", sim.to_str().unwrap()]), &socket, false).await.unwrap_err();
    assert!(refused.to_string().contains("systemctl stop till"), "{refused}");
}
