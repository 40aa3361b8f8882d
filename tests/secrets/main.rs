//! No secret is ever printed: a whole run of the real program, with everything that can go wrong in it, and then every word
//! that it said or left on the disk is searched for every secret of the run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod evening;
mod hunt;
#[path = "../program/shop.rs"]
#[expect(dead_code, reason = "other stories need more of the shop")]
mod shop;
mod tls;

use evening::Evening;
use hunt::{Heard, Secrets};

#[tokio::test]
async fn nothing_that_a_whole_run_said_or_wrote_holds_a_secret() {
    let mut evening = Evening::open().await;
    evening.buyers_pay().await;
    evening.answers_go_wrong().await;
    evening.members_pay().await;
    evening.somebody_scans_nonsense().await;
    evening.a_program_sends_nonsense().await;
    evening.strangers_knock_at_the_port().await;
    evening.money_goes_back().await;
    evening.the_hub_has_it_all().await;
    evening.it_is_killed_and_comes_back().await;
    evening.it_panics_and_comes_back().await;
    evening.the_technician_asks().await;
    let (heard, secrets) = evening.closes().await;

    assert!(secrets.len() > 25, "only {} secrets were in the run", secrets.len());
    heard.must_hold("the log at level trace", "TRACE");
    heard.must_hold("what the channel repeated", "ACQ.NEWS auth_code=28");
    heard.must_hold("a refusal of the channel", "ACQ.BUYER_BALANCE_NOT_ENOUGH");
    heard.must_hold("the terminal that joined", "has joined");
    heard.must_hold("the words of the panic", "TILL_CRASH: Engine");
    heard.must_hold("the masked account in the journal", "sbx***0101@example.com");
    heard.must_hold("an outline instead of a code", "**");
    let leaks = heard.leaks(&secrets);
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

#[test]
fn the_search_finds_a_secret_however_it_is_dressed() {
    let mut secrets = Secrets::default();
    secrets.add("a pay code", "285000000000000017");
    secrets.add("a token", "s3cr3t-t0ken-of-the-port");
    let dressed = [
        "scanned 285000000000000017",
        "scanned 2850 0000 0000 0000 17",
        "{\"code\":\"28-50000000-00000017\"}",
        "bytes Mjg1MDAwMDAwMDAwMDAwMDE3",
        "bytes 323835303030303030303030303030303137",
        "bytes [50, 56, 53, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 49, 55]",
        "authorization: bearer S3CR3T-T0KEN-of-the-port",
    ];
    for text in dressed {
        let mut heard = Heard::default();
        heard.add("a sample", "28************0017 was read");
        assert!(heard.leaks(&secrets).is_empty());
        heard.add("a sample", text);
        assert_eq!(heard.leaks(&secrets).len(), 1, "{text}");
    }
}
