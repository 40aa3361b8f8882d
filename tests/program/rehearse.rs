//! `till rehearse --sandbox`: the whole list of joint-test cases, unattended, against every channel that a scene has. The robot
//! sees the panel's pictures and holds codes to the scanner; the simulated channel's own books are its witness.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs a rehearsal, with the machine-readable answer.
fn rehearse(folder: &Path, words: &[&str]) -> (i32, Value) {
    let report = |name: &str| folder.join(name).display().to_string();
    let output: Output = Command::new(env!("CARGO_BIN_EXE_till"))
        .args(["--json", "rehearse", "--sandbox", "--by", "机器人"])
        .args(["--out", &report("report.md"), "--csv", &report("report.csv")])
        .args(words)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let json = serde_json::from_str(&text);
    let json = json.unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), json)
}

/// The cases with this result, by name, with the reasons.
fn with_result<'a>(report: &'a Value, result: &str) -> Vec<(&'a str, &'a str)> {
    let cases = report["cases"].as_array().unwrap().iter();
    let wished = cases.filter(|case| case["result"] == result);
    wished.map(|case| (case["case"].as_str().unwrap(), case["why"].as_str().unwrap())).collect()
}

/// Plays the whole list for a channel. Everything passes but what is expected to be skipped, and every fen is back.
fn the_list_passes(channel: &str, skipped: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (exit, report) = rehearse(folder.path(), &["--channel", channel]);
    assert_eq!(with_result(&report, "failed"), [], "{report:#}");
    let names: Vec<&str> = with_result(&report, "skipped").into_iter().map(|(case, _)| case).collect();
    assert_eq!(names, skipped, "{report:#}");
    assert_eq!(exit, 0);
    assert!(report["paid"].as_i64().unwrap() > 0);
    assert_eq!(report["paid"], report["refunded"], "a rehearsal leaves nothing owed");
    for order in report["cases"].as_array().unwrap().iter().flat_map(|case| case["orders"].as_array().unwrap()) {
        assert_eq!(order["open"], false, "{order:#}");
    }
    let markdown = std::fs::read_to_string(folder.path().join("report.md")).unwrap();
    for wanted in ["# 联调测试报告", "模拟", "SIM-0001", "机器人", "未退 ¥0.00", "所有订单已了结"]
    {
        assert!(markdown.contains(wanted), "{wanted} is not in\n{markdown}");
    }
    let csv = std::fs::read_to_string(folder.path().join("report.csv")).unwrap();
    assert!(csv.contains("shown-paid") && csv.contains("商户订单号"), "{csv}");
}

#[test]
fn the_whole_list_passes_at_alipay() {
    the_list_passes("alipay", &["instalments"]);
}

#[test]
#[ignore = "minutes, since shown codes must die; by hand: cargo test --test program rehearse -- --ignored"]
fn the_whole_list_passes_at_wechat_pay() {
    the_list_passes("wechat", &["coupon"]);
}

#[test]
#[ignore = "minutes, since shown codes must die; by hand: cargo test --test program rehearse -- --ignored"]
fn the_whole_list_passes_at_allinpay_vsp() {
    the_list_passes("allinpay_vsp", &["code-foreign"]);
}

#[test]
#[ignore = "minutes, since shown codes must die; by hand: cargo test --test program rehearse -- --ignored"]
fn the_whole_list_passes_at_allinpay_yunst() {
    the_list_passes("allinpay_yst", &["code-foreign"]);
}

#[test]
fn a_guarantee_is_confirmed_before_the_money_goes_back() {
    the_delivery_is_told("allinpay_yst");
}

#[test]
#[ignore = "minutes, since shown codes must die; by hand: cargo test --test program rehearse -- --ignored"]
fn a_delivery_is_reported_before_the_money_goes_back() {
    the_delivery_is_told("wechat");
}

fn the_delivery_is_told(channel: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (exit, report) = rehearse(folder.path(), &["--channel", channel, "--case", "delivery"]);
    assert_eq!((exit, with_result(&report, "passed").len()), (0, 1), "{report:#}");
    let order = &report["cases"][0]["orders"][0];
    assert_eq!((&order["duties"][0]["state"], &order["refunded"]), (&"done".into(), &1.into()), "{order:#}");
}

#[test]
fn instalments_are_played_when_they_are_named_and_are_not_one_fen() {
    let folder = tempfile::tempdir().unwrap();
    let (exit, report) = rehearse(folder.path(), &["--channel", "alipay", "--case", "instalments"]);
    assert_eq!((exit, with_result(&report, "passed").len()), (0, 1), "{report:#}");
    assert_eq!((&report["paid"], &report["refunded"]), (&10_000.into(), &10_000.into()));
}

#[test]
fn a_gateway_that_returns_no_money_fails_the_case_and_the_report_says_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["--channel", "alipay", "--case", "refund-whole", "--misbehave", "refunds", "--patience", "5"];
    let (exit, report) = rehearse(folder.path(), &words);
    assert_eq!((exit, with_result(&report, "failed").len()), (1, 1), "{report:#}");
    assert_eq!((&report["paid"], &report["refunded"]), (&1.into(), &0.into()));
    let markdown = std::fs::read_to_string(folder.path().join("report.md")).unwrap();
    assert!(markdown.contains("未通过") && markdown.contains("还有 ¥0.01 没有退回"), "{markdown}");
}

#[test]
fn a_gateway_whose_answers_do_not_hold_fails_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["--channel", "alipay", "--case", "query-number", "--misbehave", "queries", "--patience", "5"];
    let (exit, report) = rehearse(folder.path(), &words);
    assert_eq!((exit, with_result(&report, "failed").len()), (1, 1), "{report:#}");
}
