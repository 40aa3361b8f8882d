//! What a rehearsal does when something goes wrong in it; the whole lists are played in `tests/rehearse.rs`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use payment::channel::outcome::{Details, Discount, DiscountBy};
use payment::channel::route::Routes;
use payment::engine::entry::OrderState;
use payment::engine::settings::Settings;
use payment::instalment::Terms;
use payment::money::Fen;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::buyer::{Deed, Question, Ready, Seen};
use super::report::{Outcome, Verdict};
use super::*;
use crate::api::tests::machine::Machine;
use crate::api::wire::{Order, OrderPage};
use crate::cli::Exit;
use crate::cli::{Cli, Command};
use crate::config::Mode;

/// Somebody who does as the test says.
struct Tester<'m> {
    machine: &'m Machine,
    /// Gives up as soon as anything is waited for.
    gives_up: bool,
    /// Presses Ctrl-C when he is asked whether he is ready.
    presses_first: Option<watch::Sender<u32>>,
    /// Presses Ctrl-C when the last case is over and orders are waited for.
    presses_last: Option<watch::Sender<u32>>,
    is_over: bool,
}

impl<'m> Tester<'m> {
    const fn at(machine: &'m Machine) -> Self {
        Self { machine, gives_up: false, presses_first: None, presses_last: None, is_over: false }
    }
}

impl Buyer for Tester<'_> {
    async fn ready(&mut self, _case: &Case, _channel: ChannelId, _ground: &Ground) -> Ready {
        match &self.presses_first {
            None => Ready::Go,
            Some(tell) => {
                tell.send_replace(1);
                std::future::pending().await
            }
        }
    }

    async fn act(&mut self, deed: Deed, _order: &Order) -> Result<(), String> {
        self.machine.weather.pays.store(deed == Deed::ScanAndPay, Ordering::SeqCst);
        Ok(())
    }

    async fn gives_up(&mut self) -> String {
        if self.gives_up {
            return "操作人放弃".to_owned();
        }
        if let Some(tell) = self.presses_last.as_ref().filter(|_| self.is_over) {
            tell.send_modify(|count| *count += 1);
        }
        std::future::pending().await
    }

    async fn look(&mut self, _question: Question, _order: &Order) -> Seen {
        Seen::Yes
    }

    fn told(&mut self, _verdict: &str) {
        self.is_over = true;
    }
}

fn args(words: &[&str]) -> RehearseArgs {
    let Command::Rehearse(args) = Cli::parse_from([&["till", "rehearse"], words].concat()).command else {
        panic!("{words:?} is no rehearsal");
    };
    *args
}

fn ground() -> Ground {
    let channels = vec![ChannelId::Alipay];
    Ground::of_test(Settings {
        routes: Routes::default_for(&channels),
        channels,
        has_scanner: true,
        instalments: Some(Terms::documented_2018()),
        ..Settings::default()
    })
}

fn ctrl_c() -> (watch::Sender<u32>, Interrupts) {
    let (tell, told) = watch::channel(0);
    (tell, Interrupts::told_by(told))
}

/// Plays one case over this socket.
async fn played(case: &str, socket: PathBuf, tester: &mut Tester<'_>, interrupts: Interrupts) -> Outcome {
    let (args, client, ground) = (args(&[]), Client::new(socket).unwrap(), ground());
    let mut walk = Walk::new(&args, &client, &ground, interrupts, tester);
    walk.case(cases::named(case).unwrap(), ChannelId::Alipay, true).await
}

async fn orders(machine: &Machine) -> Vec<OrderState> {
    let page: OrderPage = serde_json::from_value(machine.get("/v1/orders").await.json()).unwrap();
    page.orders.iter().map(|order| order.state).collect()
}

/// What becomes of the answer to the first order that is opened.
#[derive(Clone)]
enum Fate {
    Lost,
    /// It does not come, and Ctrl-C is pressed for it.
    Held(watch::Sender<u32>),
}

/// Another way to the daemon, on which that answer has this fate.
fn way_with(machine: &Machine, fate: Fate) -> PathBuf {
    let (path, real) = (machine.dir.path().join("way.sock"), machine.socket.clone());
    let (listener, is_met) = (UnixListener::bind(&path).unwrap(), Arc::new(AtomicBool::new(false)));
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = UnixStream::connect(&real).await.unwrap();
            tokio::spawn(pass(near, far, fate.clone(), Arc::clone(&is_met)));
        }
    });
    path
}

async fn pass(mut near: UnixStream, mut far: UnixStream, fate: Fate, is_met: Arc<AtomicBool>) -> io::Result<()> {
    let (mut asked, mut said) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut is_this_one = false;
    loop {
        tokio::select! {
            length = near.read(&mut asked) => {
                let asked = &asked[..length?];
                if asked.starts_with(b"POST /v1/orders ") {
                    is_this_one = !is_met.swap(true, Ordering::SeqCst);
                }
                if asked.is_empty() {
                    return Ok(());
                }
                far.write_all(asked).await?;
            }
            length = far.read(&mut said) => match (length?, &fate) {
                (0, _) => return Ok(()),
                (_, Fate::Lost) if is_this_one => return Ok(()),
                (_, Fate::Held(tell)) if is_this_one => {
                    tell.send_replace(1);
                    std::future::pending().await
                }
                (length, Fate::Lost | Fate::Held(_)) => near.write_all(&said[..length]).await?,
            },
        }
    }
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_is_found_again_and_is_one() {
    let machine = Machine::start().await;
    let way = way_with(&machine, Fate::Lost);
    let outcome = played("shown-paid", way, &mut Tester::at(&machine), ctrl_c().1).await;
    assert_eq!((outcome.verdict, outcome.opened.len()), (Verdict::Passed, 1));
    assert_eq!(orders(&machine).await, [OrderState::Refunded]);
}

#[tokio::test]
async fn an_order_that_ctrl_c_did_not_wait_for_is_cancelled_all_the_same() {
    let machine = Machine::start().await;
    let (tell, interrupts) = ctrl_c();
    let way = way_with(&machine, Fate::Held(tell));
    let outcome = played("shown-paid", way, &mut Tester::at(&machine), interrupts).await;
    assert_eq!((outcome.verdict, outcome.opened.len()), (Verdict::Skipped("被中断".to_owned()), 1));
    let orders = orders(&machine).await;
    assert!(matches!(orders[..], [OrderState::Cancelling | OrderState::Cancelled]), "{orders:?}");
}

#[tokio::test]
async fn ctrl_c_at_a_prompt_skips_the_case() {
    let machine = Machine::start().await;
    let (tell, interrupts) = ctrl_c();
    let mut tester = Tester { presses_first: Some(tell), ..Tester::at(&machine) };
    let outcome = played("shown-paid", machine.socket.clone(), &mut tester, interrupts).await;
    assert_eq!((outcome.verdict, outcome.opened.len()), (Verdict::Skipped("被中断".to_owned()), 0));
}

#[tokio::test]
async fn ctrl_c_in_the_last_wait_ends_it_and_what_was_not_seen_is_not_passed() {
    let machine = Machine::start().await;
    let (tell, interrupts) = ctrl_c();
    let mut tester = Tester { presses_last: Some(tell), ..Tester::at(&machine) };
    let (args, client, ground) =
        (args(&["--case", "cancel-before"]), Client::new(machine.socket.clone()).unwrap(), ground());
    let mut walk = Walk::new(&args, &client, &ground, interrupts, &mut tester);
    walk.channel(ChannelId::Alipay).await;
    let outcomes = walk.close().await;
    assert_eq!(outcomes[0].verdict, Verdict::Failed("还有订单没有了结".to_owned()), "its code can be paid for minutes");
    assert_eq!(outcomes[0].notes.last().map(String::as_str), Some("最后一次核对被中断"));
}

#[tokio::test]
async fn who_gives_up_while_a_pay_code_is_waited_for_is_heard() {
    let machine = Machine::start().await;
    let mut tester = Tester { gives_up: true, ..Tester::at(&machine) };
    let outcome = played("code-password", machine.socket.clone(), &mut tester, ctrl_c().1).await;
    assert_eq!(outcome.verdict, Verdict::Skipped("操作人放弃".to_owned()));
}

#[tokio::test]
async fn a_coupon_passes_only_where_the_channel_told_what_the_buyer_paid() {
    for (buyer_paid, is_passed) in [(Some(1), true), (Some(2), false), (None, false)] {
        let machine = Machine::start().await;
        let coupon = Discount { name: "券".to_owned(), amount: Fen::new(1), by: DiscountBy::Merchant };
        let told = Details { discounts: vec![coupon], buyer_paid: buyer_paid.map(Fen::new), ..Details::default() };
        *machine.weather.tells.lock().unwrap() = told;
        let outcome = played("coupon", machine.socket.clone(), &mut Tester::at(&machine), ctrl_c().1).await;
        assert_eq!(outcome.verdict == Verdict::Passed, is_passed, "{buyer_paid:?}: {:?}", outcome.verdict);
        assert_eq!(buyer_paid.is_none(), matches!(outcome.verdict, Verdict::Skipped(_)), "{:?}", outcome.verdict);
    }
}

#[tokio::test]
async fn instalments_pass_only_where_the_channel_told_the_months() {
    for (told, is_passed) in [(Some(3), true), (Some(6), false), (None, false)] {
        let machine = Machine::start_with_instalments().await;
        *machine.weather.tells.lock().unwrap() = Details { instalments: told, ..Details::default() };
        let outcome = played("instalments", machine.socket.clone(), &mut Tester::at(&machine), ctrl_c().1).await;
        assert_eq!(outcome.verdict == Verdict::Passed, is_passed, "{told:?}: {:?}", outcome.verdict);
        assert_eq!(told.is_none(), matches!(outcome.verdict, Verdict::Skipped(_)), "{:?}", outcome.verdict);
    }
}

fn empty_report() -> Report {
    let head = Head {
        terminal: "VM-0001".to_owned(),
        name: "test".to_owned(),
        version: "0".to_owned(),
        mode: Mode::Production,
        is_simulated: false,
        by: None,
        begun: String::new(),
        ended: String::new(),
        clock_trusted: true,
    };
    Report { head, outcomes: Vec::new() }
}

#[tokio::test]
async fn a_report_that_cannot_be_written_is_refused_before_the_first_case() {
    let machine = Machine::start().await;
    let nowhere = machine.dir.path().join("no/such/folder/report.md").display().to_string();
    for option in ["--out", "--csv"] {
        let refused = act(args(&[option, &nowhere]), machine.socket.clone()).await.unwrap_err();
        assert!(refused.to_string().contains("nothing was played"), "{refused}");
    }
    assert!(orders(&machine).await.is_empty());
}

#[test]
fn a_report_that_does_not_fit_on_the_disk_is_printed() {
    let papers = Papers::open(&args(&["--out", "/dev/full", "--csv", "/dev/full"])).unwrap();
    let answer = papers.write(&empty_report());
    assert_eq!(answer.exit, Exit::Refused);
    for wanted in ["# 联调测试报告", "用例,名称,渠道", "/dev/full could not be written"] {
        assert!(answer.text.contains(wanted), "{wanted} is not in\n{}", answer.text);
    }
}

#[test]
fn an_older_report_stays_until_there_is_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.md");
    std::fs::write(&path, "old ".repeat(4_096)).unwrap();
    let papers = Papers::open(&args(&["--out", path.to_str().unwrap()])).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("old"));
    papers.write(&empty_report());
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.starts_with("# 联调测试报告") && !written.contains("old"), "{written}");
}
