//! What updaters ask: `till health` and `till ready-for-update`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use payment::engine::faults::Fault;
use payment::engine::input::Input;
use serde_json::Value;

use super::tests::on;
use super::{Answer, Exit};
use crate::api::tests::machine::Machine;
use crate::api::tests::notices::Told;
use crate::sync::status::{LinkNews, LinkState};

const CONFIG: &str = r#"
[terminal]
id = "VM-0001"
[[product]]
slot = "11"
name = "可乐"
price = "3.50"
[channels.alipay]
gateway_url = "https://openapi.alipay.com/gateway.do"
app_id = "2021000000000000"
private_key_file = "credential:alipay-private-key"
public_key_file = "alipay.pem"
"#;

/// One slot, and a scanner at a port that is or is not there.
fn board(scanner: &str) -> String {
    format!(
        "name = \"bench\"\n[gpio]\nkind = \"chardev\"\n[scanner]\nkind = \"serial\"\npath = \"{scanner}\"\n\
         [vend]\nkind = \"relay\"\ndrop_sensor = {{ name = \"GPIO24\" }}\n[[vend.slots]]\nname = \"11\"\nline = {{ name = \"GPIO17\" }}\n"
    )
}

/// The files of an installed machine.
struct Files(tempfile::TempDir);

impl Files {
    fn new(scanner: &str) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        std::fs::write(files.path("till.toml"), CONFIG).unwrap();
        std::fs::write(files.path("board.toml"), board(scanner)).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn health(&self, machine: &Machine, more: &[&str]) -> Answer {
        let (config, board) = (self.path("till.toml"), self.path("board.toml"));
        let words = ["health", "--config", config.to_str().unwrap(), "--board", board.to_str().unwrap()];
        on(machine, &[&words, more].concat()).await.unwrap()
    }
}

/// What is bad, by name.
fn bad(answer: &Answer) -> Vec<&str> {
    let findings = answer.json["findings"].as_array().unwrap();
    findings.iter().filter(|found| found["good"] == false).map(|found| found["about"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_program_that_does_its_work_is_healthy() {
    let (told, files) = (Told::start().await, Files::new("/dev/null"));
    let well = files.health(&told.machine, &["--up", "0"]).await;
    assert_eq!((well.exit, bad(&well)), (Exit::Done, vec![]), "{}", well.text);
    assert!(well.text.contains("wechat answers"), "{}", well.text);
    let young = files.health(&told.machine, &["--up", "3600"]).await;
    assert_eq!((young.exit, bad(&young)), (Exit::Refused, vec!["program"]), "{}", young.text);
}

#[tokio::test]
async fn what_a_new_program_may_have_broken_is_found_by_name() {
    let (machine, files) = (Machine::start().await, Files::new("/nowhere/ttyUSB0"));
    std::fs::write(files.path("till.toml"), CONFIG.replace("price", "prize")).unwrap();
    machine.link.send_replace(LinkNews { state: LinkState::Refused, ..LinkNews::default() });
    let setup = Fault::Setup(payment::channel::ChannelId::Alipay);
    for fault in [Fault::Scanner, Fault::Storage, setup, Fault::SwitchedOff] {
        machine.terminal.act(Input::Raise(fault)).await.unwrap();
    }
    let ill = files.health(&machine, &["--up", "0"]).await;
    let mut found = bad(&ill);
    found.sort_unstable();
    let wanted = ["device /nowhere/ttyUSB0", "network", "queue", "scanner", "settings", "setup-alipay", "storage"];
    assert_eq!((ill.exit, &found[..]), (Exit::Refused, &wanted[..]), "{}", ill.text);
}

#[tokio::test]
async fn what_was_bad_before_the_update_is_not_held_against_it() {
    let (machine, files) = (Machine::start().await, Files::new("/nowhere/ttyUSB0"));
    let before = files.health(&machine, &["--up", "0"]).await;
    assert_eq!(bad(&before), ["network", "device /nowhere/ttyUSB0"], "{}", before.text);
    let noted = files.path("before.json");
    std::fs::write(&noted, before.json.to_string()).unwrap();
    let since = ["--up", "0", "--before", noted.to_str().unwrap()];
    let after = files.health(&machine, &since).await;
    assert_eq!(after.exit, Exit::Done, "{}", after.text);
    assert!(after.text.contains("as before the update"), "{}", after.text);
    machine.terminal.act(Input::Raise(Fault::Machine)).await.unwrap();
    let worse = files.health(&machine, &since).await;
    assert_eq!((worse.exit, bad(&worse)), (Exit::Refused, vec!["machine"]), "{}", worse.text);
}

#[tokio::test]
async fn health_waits_for_a_device_that_comes_up_late() {
    let (told, files) = (Told::start().await, Files::new("/dev/null"));
    told.machine.terminal.act(Input::Raise(Fault::Scanner)).await.unwrap();
    let mut calls = told.calls();
    let comes_up = async {
        // Health asks for the channels when it has seen the faults.
        calls.next().await;
        told.machine.terminal.act(Input::Clear(Fault::Scanner)).await.unwrap();
    };
    let (well, ()) = tokio::join!(files.health(&told.machine, &["--up", "0", "--within", "60"]), comes_up);
    assert_eq!(well.exit, Exit::Done, "{}", well.text);
}

#[tokio::test]
async fn a_daemon_that_is_away_is_no_healthy_one() {
    let (machine, files) = (Machine::start().await, Files::new("/dev/null"));
    machine.stop.send_replace(true);
    let _served = machine.served.await;
    let machine = Machine { served: tokio::spawn(async { Ok(()) }), ..machine };
    let noted = files.path("before.json");
    std::fs::write(&noted, files.health(&machine, &[]).await.json.to_string()).unwrap();
    let away = files.health(&machine, &["--before", noted.to_str().unwrap()]).await;
    assert_eq!((away.exit, bad(&away)), (Exit::Unreachable, vec!["daemon"]), "{}", away.text);
}

#[tokio::test]
async fn nothing_is_replaced_while_an_order_is_open() {
    let machine = Machine::start().await;
    let free = on(&machine, &["ready-for-update"]).await.unwrap();
    assert_eq!((free.exit, &free.json["ready"]), (Exit::Done, &Value::Bool(true)), "{}", free.text);
    let id = machine.order_of_slot_12().await;
    let busy = on(&machine, &["ready-for-update", "--hold"]).await.unwrap();
    assert_eq!((busy.exit, &busy.json["ready"]), (Exit::Refused, &Value::Bool(false)));
    assert!(busy.text.contains(&id) && busy.text.contains("1 waiting"), "{}", busy.text);
    assert_eq!(on(&machine, &["status"]).await.unwrap().exit, Exit::Done, "it goes on selling");

    let pays = async {
        machine.weather.pays.store(true, Ordering::SeqCst);
        machine.until(&id, "completed").await;
    };
    let (waited, ()) = tokio::join!(on(&machine, &["ready-for-update", "--wait", "60", "--hold"]), pays);
    let waited = waited.unwrap();
    assert_eq!(waited.exit, Exit::Done, "{}", waited.text);
    let held = on(&machine, &["status"]).await.unwrap();
    assert_eq!(held.exit, Exit::Refused, "no order comes between");
    assert!(held.text.contains("switched-off"), "{}", held.text);
}

#[tokio::test]
async fn money_that_the_channel_refuses_to_take_back_holds_up_no_update() {
    let machine = Machine::start().await;
    machine.weather.jams.store(true, Ordering::SeqCst);
    machine.weather.pays.store(true, Ordering::SeqCst);
    machine.weather.refuses_refunds.store(true, Ordering::SeqCst);
    let id = machine.order_of_slot_12().await;
    machine.until(&id, "owed").await;
    // The machine thanks or says sorry for a moment.
    let ready = on(&machine, &["ready-for-update", "--wait", "60"]).await.unwrap();
    assert_eq!(ready.exit, Exit::Done, "{}", ready.text);
    machine.terminal.act(Input::Raise(Fault::Storage)).await.unwrap();
    let failing = on(&machine, &["ready-for-update"]).await.unwrap();
    assert!(failing.exit == Exit::Refused && failing.text.contains("only in memory"), "{}", failing.text);
}
