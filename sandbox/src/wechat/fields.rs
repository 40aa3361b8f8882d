//! The members of a JSON body, read as strictly as the field lists allow (reference/wechatpay.md 2).

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// An object of the body and where it stands.
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    at: String,
    strict: bool,
}

impl<'a> Fields<'a> {
    /// The members of a body; `strict` refuses what no document knows.
    pub(crate) fn of(body: &'a Value, strict: bool) -> Result<Self, Refusal> {
        let map = body.as_object().ok_or_else(|| Refusal::parameter("", "", "请求体不是JSON对象", "body"))?;
        Ok(Self { map, at: String::new(), strict })
    }

    /// A refusal that points at a member.
    pub(crate) fn wrong(&self, name: &str, issue: &str) -> Refusal {
        let value = match self.map.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        Refusal::parameter(&format!("{}/{name}", self.at), &value, issue, "body")
    }

    /// Refuses members that are not `known`, and members that say nothing: leave them out instead.
    pub(crate) fn only_known(&self, known: &[&str]) -> Result<(), Refusal> {
        for (name, value) in self.map {
            if self.strict && !known.contains(&name.as_str()) {
                return Err(self.wrong(name, "未知的参数"));
            }
            let empty = match value {
                Value::Null => true,
                Value::String(text) => text.trim().is_empty(),
                Value::Object(map) => map.is_empty(),
                Value::Array(_) | Value::Bool(_) | Value::Number(_) => false,
            };
            if empty {
                return Err(self.wrong(name, "参数为空，选填参数无值时请不要传"));
            }
        }
        Ok(())
    }

    /// A text of at most `longest` characters.
    pub(crate) fn text(&self, name: &str, longest: usize) -> Result<Option<&'a str>, Refusal> {
        let Some(value) = self.map.get(name) else {
            return Ok(None);
        };
        let text = value.as_str().ok_or_else(|| self.wrong(name, "不是字符串"))?;
        if text.chars().count() > longest {
            return Err(self.wrong(name, "超过最大长度"));
        }
        Ok(Some(text))
    }

    /// A text that must be there.
    pub(crate) fn required(&self, name: &str, longest: usize) -> Result<&'a str, Refusal> {
        self.text(name, longest)?.ok_or_else(|| self.wrong(name, "缺少必填参数"))
    }

    /// Checks the lengths of texts that may be left out.
    pub(crate) fn lengths(&self, lengths: &[(&str, usize)]) -> Result<(), Refusal> {
        lengths.iter().try_for_each(|(name, longest)| self.text(name, *longest).map(|_| ()))
    }

    /// A whole number.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.map.get(name) {
            Some(value) => value.as_i64().map(Some).ok_or_else(|| self.wrong(name, "不是整数")),
            None => Ok(None),
        }
    }

    /// An amount of money that must be there: fen, at least 1.
    pub(crate) fn fen(&self, name: &str) -> Result<i64, Refusal> {
        let fen = self.integer(name)?.ok_or_else(|| self.wrong(name, "缺少必填参数"))?;
        if fen < 1 { Err(self.wrong(name, "金额必须大于0")) } else { Ok(fen) }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.map.get(name) {
            Some(value) => value.as_bool().map(Some).ok_or_else(|| self.wrong(name, "不是布尔值")),
            None => Ok(None),
        }
    }

    /// An object, with nothing in it that is not `known`.
    pub(crate) fn object(&self, name: &str, known: &[&str]) -> Result<Option<Fields<'a>>, Refusal> {
        let Some(value) = self.map.get(name) else {
            return Ok(None);
        };
        self.member(value, name, format!("{}/{name}", self.at), known).map(Some)
    }

    /// An object that must be there.
    pub(crate) fn required_object(&self, name: &str, known: &[&str]) -> Result<Fields<'a>, Refusal> {
        self.object(name, known)?.ok_or_else(|| self.wrong(name, "缺少必填参数"))
    }

    /// A list of objects.
    pub(crate) fn objects(&self, name: &str, known: &[&str]) -> Result<Vec<Fields<'a>>, Refusal> {
        let Some(value) = self.map.get(name) else {
            return Ok(Vec::new());
        };
        let rows = value.as_array().ok_or_else(|| self.wrong(name, "不是数组"))?;
        let rows = rows.iter().enumerate();
        rows.map(|(at, row)| self.member(row, name, format!("{}/{name}/{at}", self.at), known)).collect()
    }

    fn member(&self, value: &'a Value, name: &str, at: String, known: &[&str]) -> Result<Fields<'a>, Refusal> {
        let map = value.as_object().ok_or_else(|| self.wrong(name, "不是对象"))?;
        let fields = Fields { map, at, strict: self.strict };
        fields.only_known(known)?;
        Ok(fields)
    }
}

/// Whether a merchant's number of an order has the documented form: 6 to 32 of digits, letters and `_-*|`.
pub(crate) fn is_order_number(text: &str, signs: &str) -> bool {
    (6..=32).contains(&text.len()) && text.chars().all(|each| each.is_ascii_alphanumeric() || signs.contains(each))
}
