//! Why the gateway says no (reference/wechatpay.md 1.4, 2, 3).

use serde_json::{Value, json};

/// A failure answer of APIv3.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) detail: Option<Box<Value>>,
}

impl Refusal {
    /// A refusal with a status and a code.
    pub(crate) fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned(), detail: None }
    }

    /// 401 `SIGN_ERROR`.
    pub(crate) fn sign(message: &str) -> Self {
        Self::new(401, "SIGN_ERROR", message)
    }

    /// 400 `PARAM_ERROR` at a JSON pointer, or at a parameter's name.
    pub(crate) fn parameter(field: &str, value: &str, issue: &str, location: &str) -> Self {
        let detail = json!({ "field": field, "value": value, "issue": issue, "location": location });
        Self {
            detail: Some(Box::new(detail)), ..Self::new(400, "PARAM_ERROR", &format!("参数错误：{field} {issue}"))
        }
    }

    /// 404 `ORDER_NOT_EXIST`.
    pub(crate) fn order_not_exist() -> Self {
        Self::new(404, "ORDER_NOT_EXIST", "订单不存在")
    }

    /// The body. `joined` writes the older spelling of the code.
    pub(crate) fn body(&self, joined: bool) -> Value {
        let code = if joined { joined_code(&self.code) } else { self.code.clone() };
        let mut body = json!({ "code": code, "message": self.message });
        if let (Some(detail), Some(members)) = (&self.detail, body.as_object_mut()) {
            members.insert("detail".to_owned(), Value::clone(detail));
        }
        body
    }
}

/// The codes that older pages and some live answers write without the underscore.
const TWO_SPELLINGS: [&str; 9] = [
    "ORDER_NOT_EXIST",
    "SYSTEM_ERROR",
    "NO_AUTH",
    "NOT_ENOUGH",
    "RULE_LIMIT",
    "BANK_ERROR",
    "ACCOUNT_ERROR",
    "USER_PAYING",
    "ORDER_PAID",
];

fn joined_code(code: &str) -> String {
    if TWO_SPELLINGS.contains(&code) { code.replace('_', "") } else { code.to_owned() }
}
