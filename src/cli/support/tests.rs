//! What is planted everywhere, and found nowhere.

use std::io::Read;
use std::sync::atomic::Ordering;

use flate2::read::GzDecoder;

use super::*;
use crate::api::tests::machine::Machine;
use crate::cli::machine::made_up::MadeUp;

const PAY_CODE: &str = "281234567890123456";
const PHONE: &str = "13812345678";
const API_KEY: &str = "Zk3v9QmX7bT2nLw8RsY5uJc1HdEa4GfP";
const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n";

/// The files of an archive, read by nothing of ours.
fn unpacked(packed: &[u8]) -> Vec<(String, String)> {
    let mut tar = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut tar).unwrap();
    let (mut files, mut rest) = (Vec::new(), tar.as_slice());
    while rest[0] != 0 {
        let text = |range: std::ops::Range<usize>| {
            let field = &rest[range];
            String::from_utf8(field.split(|byte| *byte == 0).next().unwrap().to_vec()).unwrap()
        };
        let size = usize::from_str_radix(&text(124..136), 8).unwrap();
        let stored = u32::from_str_radix(text(148..156).trim(), 8).unwrap();
        let blank =
            rest[..512].iter().enumerate().map(|(place, byte)| if (148..156).contains(&place) { 32 } else { *byte });
        assert_eq!(blank.map(u32::from).sum::<u32>(), stored, "the header's checksum");
        assert_eq!(&rest[257..265], b"ustar\x0000");
        files.push((text(0..100), String::from_utf8(rest[512..512 + size].to_vec()).unwrap()));
        rest = &rest[512 + size.next_multiple_of(512)..];
    }
    assert!(rest.len() == 1024 && rest.iter().all(|byte| *byte == 0), "two empty blocks at the end");
    files
}

#[tokio::test]
async fn no_pay_code_no_key_and_no_telephone_number_leaves_the_machine() {
    let machine = Machine::start().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    let wanted = format!(r#"{{"amount":350,"currency":"CNY","reference":"{PHONE}","subject":"for {PHONE}"}}"#);
    let made = machine.post_with_key("/v1/orders", "k", &wanted).await.json();
    let order = made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();

    let dir = machine.dir.path();
    let config =
        format!("# call {PHONE}\n[terminal]\nid = \"VM-0001\"\n[channels.wechat]\napiv3_key = \"{API_KEY}\"\n");
    std::fs::write(dir.join("till.toml"), config).unwrap();
    let sim = include_str!("../../../boards/sim.toml");
    std::fs::write(dir.join("board.toml"), format!("# the owner: {PHONE}\n# {API_KEY}\n{sim}")).unwrap();
    let computer = MadeUp::new("Bench");
    computer.file("/etc/systemd/system/till.service.d/keys.conf", "LoadCredential=alipay:/etc/till/keys/alipay.pem\n");
    computer.file("/etc/till/keys/alipay.pem", PEM);
    computer.mode("/etc/till/keys/alipay.pem", 0o600);
    let log =
        format!("till: scanned {PAY_CODE}\ntill: order {order} for 138-1234-5678\ntill: {API_KEY}\n{PEM}till: ends\n");

    let files =
        DoctorArgs { journal: dir.join("till.db"), board: dir.join("board.toml"), config: dir.join("till.toml") };
    let client = Client::new(machine.socket.clone()).unwrap();
    let parts = gather(&client, &files, &computer.tree(), &log).await;
    let packed = dir.join("bundle.tar.gz");
    write(&packed, &parts).unwrap();
    let found = unpacked(&std::fs::read(&packed).unwrap());
    assert_eq!(found.len(), 9);
    for (name, text) in &found {
        for secret in [PAY_CODE, PHONE, "1234-5678", API_KEY, "MIIEvQ", "PRIVATE KEY"] {
            assert!(!text.contains(secret), "{secret} is in {name}:\n{text}");
        }
    }
    let text = |name: &str| found.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str()).unwrap();
    assert!(text("orders.json").contains(&order) && text("log.txt").contains(&order), "what finds the fault stays");
    assert!(text("doctor.json").contains("/etc/till/keys/alipay.pem"), "names of key files stay");
    assert!(text("log.txt").contains("till: ends") && text("board.toml").contains("kind = \"sim\""));
    assert!(text("status.json").contains("\"blocking\"") || text("status.json").contains("\"version\""));
}

#[tokio::test]
async fn without_a_daemon_there_is_a_bundle_that_says_so_and_no_file_is_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let files = DoctorArgs { journal: at("till.db"), board: at("board.toml"), config: at("till.toml") };
    let client = Client::new("/nowhere/till.sock".into()).unwrap();
    let parts = gather(&client, &files, &MadeUp::new("Bench").tree(), "").await;
    assert!(parts.iter().any(|part| part.name == "status.json" && part.text.contains("does not answer")));
    std::fs::write(at("there"), "mine").unwrap();
    let refused = write(&at("there"), &parts).unwrap_err();
    assert!(refused.to_string().contains("cannot be written"), "{refused}");
    assert_eq!(std::fs::read_to_string(at("there")).unwrap(), "mine");
}
