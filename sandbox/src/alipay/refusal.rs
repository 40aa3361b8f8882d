//! Why the gateway says no: the two levels of failure (reference/alipay.md 7.1).

/// A failure answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) msg: &'static str,
    pub(crate) sub_code: String,
    pub(crate) sub_msg: String,
}

impl Refusal {
    /// 40001: a common parameter is missing.
    pub(crate) fn missing(sub_code: &str) -> Self {
        let sub_msg = format!("{sub_code}: send this parameter");
        Self::new("40001", "Missing Required Arguments", sub_code, sub_msg)
    }

    /// 40002: a common parameter is wrong.
    pub(crate) fn invalid(sub_code: &str, sub_msg: impl Into<String>) -> Self {
        Self::new("40002", "Invalid Arguments", sub_code, sub_msg.into())
    }

    /// 40004: the business layer refuses.
    pub(crate) fn business(sub_code: &str, sub_msg: impl Into<String>) -> Self {
        Self::new("40004", "Business Failed", sub_code, sub_msg.into())
    }

    /// 40004 `ACQ.INVALID_PARAMETER`: a business field breaks its rule.
    pub(crate) fn field(name: &str, rule: &str) -> Self {
        Self::business("ACQ.INVALID_PARAMETER", format!("参数无效：{name}: {rule}"))
    }

    /// Whether the gateway refused before the business layer saw the call.
    pub(crate) fn is_gateway_level(&self) -> bool {
        self.code != "40004"
    }

    fn new(code: &'static str, msg: &'static str, sub_code: &str, sub_msg: String) -> Self {
        Self { code, msg, sub_code: sub_code.to_owned(), sub_msg }
    }
}
