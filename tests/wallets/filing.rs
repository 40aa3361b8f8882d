//! `till filing`: the machine is filed at Allinpay, asked after, changed and taken off again, by the program that an
//! installer runs beside the daemon.

use payment::channel::ChannelId;
use serde_json::Value;
use till::demo::scene::{Scene, SceneOptions};

use crate::evening::{Evening, QUICK};
use crate::gate::Gate;

const PROGRAM: &str = env!("CARGO_BIN_EXE_till");
const NUMBER: &str = "00000001";

/// What `till filing` printed, and how it ended.
async fn filing(scene: &Scene, words: &[&str]) -> (i32, String) {
    let output = tokio::process::Command::new(PROGRAM)
        .arg("filing")
        .args(words)
        .arg("--config")
        .arg(&scene.config_path)
        .arg("--board")
        .arg(&scene.board_path)
        .env("RUNTIME_DIRECTORY", &scene.dir)
        .env("STATE_DIRECTORY", &scene.dir)
        .output()
        .await
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// A terminal that nobody has filed yet.
async fn unfiled(channel: ChannelId) -> Evening {
    let address = format!("[channels.{}]\nterminal_address = \"上海市-上海市-浦东新区-示例路1号\"\n", channel.name());
    let more = if channel == ChannelId::AllinpayYst { "terminal_state = \"00\"\n" } else { "" };
    let unfiled = |options: &mut SceneOptions| {
        options.channels.vsp.house.filed_terminals.clear();
        options.channels.yst.house.filed_terminals.clear();
        options.extra_config = format!("{QUICK}{address}{more}");
    };
    Evening::with(channel, unfiled).await
}

#[tokio::test]
async fn a_machine_is_filed_changed_and_taken_off_the_files() {
    for channel in [ChannelId::AllinpayVsp, ChannelId::AllinpayYst] {
        let evening = unfiled(channel).await;
        let (scene, name) = (&evening.shop.scene, channel.name());
        let Gate::Allinpay(control, _) = &evening.gate else { panic!("another channel") };
        for (words, exit, said, filed) in [
            (&[][..], 1, "till filing add", false),
            (&["change"], 1, "refuses", false),
            (&["add"], 0, "terminal 00000001", true),
            (&["add"], 1, "refuses", true),
            (&["ask", "--channel", name], 0, "terminal 00000001", true),
            (&["change"], 0, "terminal 00000001", true),
            (&["cancel"], 0, "terminal 00000001", false),
        ] {
            let (code, text) = filing(scene, words).await;
            assert!(code == exit && text.contains(said) && text.contains(name), "{name} {words:?}: {code} {text}");
            assert_eq!(control.filed_terminals().contains(&NUMBER.to_owned()), filed, "{name} {words:?}");
        }
    }
}

#[tokio::test]
async fn the_code_for_no_such_order_is_found_out_and_told_as_a_setting() {
    let evening = unfiled(ChannelId::AllinpayYst).await;
    let scene = &evening.shop.scene;
    let (exit, text) = filing(scene, &["probe"]).await;
    assert_eq!(exit, 0, "{text}");
    for line in ["respCode 40000", "[[channels.allinpay_yst.code]]", "code = \"40000\"", "meaning = \"no_order\""] {
        assert!(text.contains(line), "{text}");
    }
    let (exit, json) = filing(scene, &["probe", "--json"]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((exit, json["said"]["resp_code"].as_str()), (0, Some("40000")), "{json}");
}

#[tokio::test]
async fn who_cannot_be_filed_with_is_named() {
    let evening = unfiled(ChannelId::AllinpayVsp).await;
    for words in [&["probe"][..], &["--channel", "allinpay_yst"]] {
        let (exit, text) = filing(&evening.shop.scene, words).await;
        assert!(exit == 1 && text.contains("allinpay_yst"), "{words:?}: {exit} {text}");
    }
}
