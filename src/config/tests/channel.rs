//! `[channels.alipay]`: gateway, texts and keys.

use super::*;

#[test]
fn production_takes_no_money_through_a_local_or_plain_gateway() {
    let mut bench = Bench::new();
    for sandbox_built in [false, true] {
        bench.env.sandbox_built = sandbox_built;
        for url in [
            "http://127.0.0.1:8700/gateway.do",
            "https://localhost/gateway.do",
            "https://192.168.0.4/gateway.do",
            "https://[::1]/gateway.do",
            "http://openapi.alipay.com/gateway.do",
            "https://openapi-sandbox.dl.alipaydev.com/gateway.do",
            "https://openapi.alipay.com@127.0.0.1/gateway.do",
            "https://[127.0.0.1/gateway.do",
        ] {
            let errors = bench.errors(&with_gateway(url, "production"));
            assert!(errors.iter().all(|key| key == "channels.alipay.gateway_url"), "{url}: {errors:?}");
        }
    }
}

#[test]
fn a_local_gateway_needs_sandbox_mode_and_a_build_with_the_sandbox() {
    let mut bench = Bench::new();
    let local = with_gateway("http://127.0.0.1:8700/gateway.do", "sandbox");
    assert_eq!(bench.errors(&local), ["channels.alipay.gateway_url"]);
    bench.env.sandbox_built = true;
    assert!(bench.load(&local, BOARD).expect("sound").channels.len() == 1);
}

#[test]
fn sandbox_mode_never_meets_the_production_gateway() {
    let mut bench = Bench::new();
    bench.env.sandbox_built = true;
    assert_eq!(bench.errors(&in_section("terminal", "mode = \"sandbox\"")), ["channels.alipay.gateway_url"]);
    let alipays = with_gateway("https://openapi-sandbox.dl.alipaydev.com/gateway.do", "sandbox");
    bench.env.sandbox_built = false;
    assert!(bench.load(&alipays, BOARD).is_ok());
}

#[test]
fn certificate_mode_needs_its_three_files_and_no_key() {
    let bench = Bench::new();
    let key = "public_key_file = \"alipay.pem\"\n";
    let three =
        "app_cert_file = \"app.crt\"\nalipay_cert_file = \"alipay.crt\"\nalipay_root_cert_file = \"root.crt\"\n";
    assert!(bench.load(&SOUND.replace(key, three), BOARD).expect("sound").channels.len() == 1);
    assert_eq!(bench.errors(&format!("{SOUND}{three}")), ["channels.alipay.public_key_file"]);
    let two = three.replace("alipay_cert_file = \"alipay.crt\"\n", "");
    assert_eq!(bench.errors(&SOUND.replace(key, &two)), ["channels.alipay.alipay_cert_file"]);
    let swapped = three.replace("\"app.crt\"", "\"alipay.crt\"");
    assert_eq!(bench.errors(&SOUND.replace(key, &swapped)), ["channels.alipay.app_cert_file"]);
}

#[test]
fn our_own_public_key_in_alipays_place_is_recognised() {
    let bench = Bench::new();
    let report = bench.report(&SOUND.replace("\"alipay.pem\"", "\"ours.pem\""));
    assert_eq!(report.problems()[0].key, "channels.alipay.public_key_file");
    assert!(report.problems()[0].problem.contains("our own"), "{report}");
}

#[test]
fn every_bad_text_and_every_bad_key_of_alipay_is_reported_at_once() {
    let bench = Bench::new();
    bench.put("app.pem", "not a key", 0o600);
    bench.put("alipay.pem", OUR_KEY, 0o600);
    let more = "seller_id = \"20 88\"\nstore_id = \"\"\nenable_pay_channels = [\"balance\"]\ndisable_pay_channels = [\"coupon\"]\n";
    let config = format!("{SOUND}{more}").replace("2021000000000000", "12");
    let names: Vec<String> =
        bench.errors(&config).iter().map(|key| key.trim_start_matches("channels.alipay.").to_owned()).collect();
    assert_eq!(
        names,
        ["app_id", "private_key_file", "public_key_file", "seller_id", "store_id", "disable_pay_channels"]
    );
}

#[test]
fn a_private_key_that_others_can_read_is_refused() {
    let bench = Bench::new();
    bench.put("app.pem", OUR_KEY, 0o640);
    let report = bench.report(SOUND);
    assert_eq!(report.problems()[0].key, "channels.alipay.private_key_file");
    assert!(report.problems()[0].advice.contains("chmod 600"), "{report}");
}

#[test]
fn every_way_to_leave_a_private_key_open_is_refused_with_the_command_that_closes_it() {
    for mode in [0o604, 0o620, 0o644, 0o660, 0o666, 0o601, 0o777] {
        let bench = Bench::new();
        bench.put("app.pem", OUR_KEY, mode);
        let report = bench.report(SOUND);
        let problem = &report.problems()[0];
        assert!(problem.problem.contains(&format!("mode {mode:o}")), "{report}");
        let file = bench.folder.path().join("app.pem");
        assert!(problem.advice.contains(&format!("chmod 600 {}", file.display())), "{report}");
    }
    for mode in [0o600, 0o400] {
        let bench = Bench::new();
        bench.put("app.pem", OUR_KEY, mode);
        assert!(bench.load(SOUND, BOARD).is_ok(), "{mode:o}");
    }
}

#[test]
fn a_private_key_of_another_user_is_refused() {
    let bench = Bench::new();
    bench.put("app.pem", OUR_KEY, 0o600);
    // Only root can give a file away; the rule itself is tested beside it.
    if std::os::unix::fs::chown(bench.folder.path().join("app.pem"), Some(65_534), None).is_ok() {
        let report = bench.report(SOUND);
        assert_eq!(report.problems()[0].key, "channels.alipay.private_key_file");
        assert!(report.problems()[0].advice.contains("chown"), "{report}");
    }
}

#[test]
fn a_token_that_others_can_read_is_refused() {
    let bench = Bench::new();
    let config = SOUND.to_owned() + "[api]\ntcp = \"127.0.0.1:8480\"\ntoken_file = \"api.token\"\n";
    bench.put("api.token", "0123456789abcdef0123456789abcdef", 0o644);
    let report = bench.report(&config);
    assert_eq!(report.problems()[0].key, "api.token_file");
    assert!(report.problems()[0].advice.contains("chmod 600"), "{report}");
    bench.put("api.token", "0123456789abcdef0123456789abcdef", 0o600);
    assert!(bench.load(&config, BOARD).is_ok());
}

#[test]
fn a_credential_comes_from_systemd() {
    let mut bench = Bench::new();
    let config = SOUND.replace("\"app.pem\"", "\"credential:alipay\"");
    let report = bench.report(&config);
    assert!(report.problems()[0].advice.contains("LoadCredential=alipay:"), "{report}");
    bench.put("alipay", OUR_KEY, 0o440);
    bench.env.credentials_directory = Some(bench.folder.path().to_owned());
    assert!(bench.load(&config, BOARD).is_ok());
    let outside = SOUND.replace("\"app.pem\"", "\"credential:../app.pem\"");
    assert_eq!(bench.errors(&outside), ["channels.alipay.private_key_file"]);
}

#[test]
fn a_key_pasted_into_the_file_is_refused_and_never_printed() {
    let bench = Bench::new();
    let body: String = OUR_KEY.lines().filter(|line| !line.starts_with('-')).collect();
    for line in [format!("private_key_file = \"{body}\""), format!("private_key = \"{body}\"")] {
        let report = bench.report(&SOUND.replace("private_key_file = \"app.pem\"", &line));
        let printed = format!("{report}{}", serde_json::to_string(&report).expect("JSON"));
        assert!(!printed.contains(&body[40..80]), "{printed}");
        assert!(printed.contains("a file of its own"), "{printed}");
    }
}
