//! Every decoder of this crate keeps its promises over the corpus that fuzzing left (docs/fuzzing.md). The targets are the
//! fuzzers' own, included by path.

#[path = "../../fuzz/src/money/mod.rs"]
mod money;
#[path = "../../fuzz/src/replay.rs"]
mod replay;

use std::path::Path;

fn replayed(name: &str, target: fn(&[u8])) {
    replay::replay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus"), name, target);
}

#[test]
fn only_alipay_says_what_alipay_says() {
    replayed("alipay", money::alipay::replies);
    replayed("alipay_beside", money::alipay::beside);
}

#[test]
fn only_wechat_says_what_wechat_says() {
    replayed("wechat", money::wechat::replies);
    replayed("wechat_v2", money::wechat::replies_v2);
    replayed("wechat_beside", money::wechat_beside::beside);
    replayed("wechat_delivery", money::wechat::delivery);
}

#[test]
fn only_allinpay_says_what_vsp_says() {
    replayed("vsp", money::vsp::replies);
}

#[test]
fn only_allinpay_says_what_yunst_says() {
    replayed("yst", money::yst::replies);
}

#[test]
fn keys_and_certificates_are_what_they_seem() {
    replayed("keys", money::keys::loaders);
}

#[test]
fn amounts_codes_vouchers_and_entries_are_read_exactly() {
    replayed("amounts", money::texts::amounts);
    replayed("pay_codes", money::texts::pay_codes);
    replayed("vouchers", money::texts::vouchers);
    replayed("entries", money::texts::entries);
}
