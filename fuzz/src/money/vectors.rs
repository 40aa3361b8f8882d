//! The throw-away keys of the payment crate's vectors.

use std::sync::LazyLock;

use serde_json::Value;

static ALIPAY: LazyLock<Value> = LazyLock::new(|| read(include_str!("../../../payment/tests/vectors/alipay.json")));
static WECHAT: LazyLock<Value> = LazyLock::new(|| read(include_str!("../../../payment/tests/vectors/wechat.json")));
static ALLINPAY: LazyLock<Value> = LazyLock::new(|| read(include_str!("../../../payment/tests/vectors/allinpay.json")));

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("the vectors: {error}"))
}

fn text(vectors: &Value, path: &str) -> String {
    let found = vectors.pointer(path).and_then(Value::as_str).map(str::to_owned);
    found.unwrap_or_else(|| panic!("no text at {path}"))
}

pub(super) fn alipay(path: &str) -> String {
    text(&ALIPAY, path)
}

pub(super) fn wechat(path: &str) -> String {
    text(&WECHAT, path)
}

pub(super) fn allinpay(path: &str) -> String {
    text(&ALLINPAY, path)
}
