//! The words of Allinpay's portal and Excel files, and the codes of its interface and txt files (reference/allinpay.md 6).
//!
//! Order types and card classes are Allinpay's own words. The Excel's words for pay means and channel trade types were not
//! seen: those here are ours, in the field's usage. A word that is not here is shown as it is written.

/// An order type of YunST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderType {
    /// Its transaction code (txt, column 订单类型).
    pub code: &'static str,
    /// 订单类型 in words.
    pub word: &'static str,
    /// 订单子类型 in words, where there is one.
    pub subtype: Option<&'static str>,
}

const fn order(code: &'static str, word: &'static str, subtype: Option<&'static str>) -> OrderType {
    OrderType { code, word, subtype }
}

/// Order types and subtypes (reference/allinpay.md 3.4, 6).
#[rustfmt::skip]
pub const ORDER_TYPES: &[OrderType] = &[
    order("2085", "消费", None),
    order("2089", "担保消费", Some("担保支付")),
    order("2090", "担保消费", Some("担保确认")),
    order("2091", "担保消费", Some("担保确认")),
    order("2096", "充值", None),
    order("2290", "提现", None),
    order("2084", "转账", None),
    order("2099", "转账", None),
    order("2294", "退款", None),
    order("2295", "关闭", None),
    order("4020", "结算", None),
    order("2298", "差错调整", None),
    order("2080", "划款入账", None),
    order("2094", "储值卡核销", None),
];

/// Pay means 支付方式 (reference/allinpay.md 3.5): mode and word.
#[rustfmt::skip]
pub const PAY_MEANS: &[(&str, &str)] = &[
    ("SCAN_WEIXIN", "微信扫码支付"),
    ("SCAN_ALIPAY", "支付宝扫码支付"),
    ("SCAN_UNIONPAY", "银联扫码支付"),
    ("CODEPAY_VSP", "付款码支付"),
    ("WECHATPAY_MINIPROGRAM", "微信小程序支付"),
    ("WECHAT_PUBLIC", "微信公众号支付"),
    ("ALIPAY_SERVICE", "支付宝生活号支付"),
    ("H5_CASHIER_VSP", "H5收银台支付"),
    ("ORDER_VSPPAY", "收银宝POS支付"),
    ("QUICKPAY_VSP", "快捷支付"),
    ("GATEWAY_VSP", "网关支付"),
    ("BALANCE", "余额支付"),
];

/// Channel trade types 渠道交易类型 (reference/allinpay.md 2.6): code and word.
#[rustfmt::skip]
pub const TRADE_TYPES: &[(&str, &str)] = &[
    ("VSP501", "微信支付"),
    ("VSP502", "微信支付撤销"),
    ("VSP503", "微信支付退货"),
    ("VSP505", "QQ钱包支付"),
    ("VSP506", "QQ钱包支付撤销"),
    ("VSP507", "QQ钱包支付退货"),
    ("VSP511", "支付宝支付"),
    ("VSP512", "支付宝支付撤销"),
    ("VSP513", "支付宝支付退货"),
    ("VSP541", "扫码支付"),
    ("VSP542", "扫码支付撤销"),
    ("VSP543", "扫码支付退货"),
    ("VSP551", "银联扫码支付"),
    ("VSP552", "银联扫码支付撤销"),
    ("VSP553", "银联扫码支付退货"),
    ("VSP611", "数字人民币支付"),
    ("VSP612", "数字人民币支付撤销"),
    ("VSP613", "数字人民币支付退货"),
];

/// Card classes 卡类别 (reference/allinpay.md 2.7): code and word.
#[rustfmt::skip]
pub const CARD_CLASSES: &[(&str, &str)] = &[
    ("00", "借记卡"),
    ("01", "存折"),
    ("02", "信用卡"),
    ("03", "准贷记卡"),
    ("04", "预付费卡"),
    ("05", "境外卡"),
    ("99", "其他"),
];

/// The word of a code in one of the tables; the text itself when it has none.
#[must_use]
pub fn word<'a>(table: &[(&'static str, &'static str)], code: &'a str) -> &'a str {
    table.iter().find(|(known, _)| *known == code).map_or(code, |(_, word)| word)
}

/// The code of a word in one of the tables; a code is its own.
#[must_use]
pub fn code(table: &[(&'static str, &'static str)], text: &str) -> Option<&'static str> {
    table.iter().find(|(code, word)| *code == text || *word == text).map(|(code, _)| *code)
}

/// 订单类型-订单子类型 of a code, as the Excel shows it.
#[must_use]
pub fn order_word(code: &str) -> Option<String> {
    let order = ORDER_TYPES.iter().find(|order| order.code == code)?;
    Some(order.subtype.map_or_else(|| order.word.to_owned(), |subtype| format!("{}-{subtype}", order.word)))
}

/// The order types that a text can mean: a code, 订单类型, 订单子类型, or both with a hyphen. Empty when it is not known.
#[must_use]
pub fn order_types(text: &str) -> Vec<&'static OrderType> {
    let (word, subtype) =
        text.split_once(['-', '－']).map_or((text, None), |(word, rest)| (word.trim(), Some(rest.trim())));
    let is = |order: &&OrderType| {
        let named = order.code == word || order.word == word;
        let narrowed = subtype.is_none_or(|subtype| order.subtype.unwrap_or(order.word) == subtype);
        (named && narrowed) || (subtype.is_none() && order.subtype == Some(word))
    };
    ORDER_TYPES.iter().filter(is).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_word_and_every_word_leads_back() {
        for table in [PAY_MEANS, TRADE_TYPES, CARD_CLASSES] {
            for (known, its) in table {
                assert_eq!(word(table, known), *its);
                assert_eq!(code(table, its), Some(*known));
                assert_eq!(code(table, known), Some(*known));
            }
        }
        assert_eq!(word(CARD_CLASSES, "77"), "77");
        assert_eq!(code(CARD_CLASSES, "77"), None);
    }

    #[test]
    fn order_types_lead_back_from_their_words() {
        for order in ORDER_TYPES {
            let word = order_word(order.code).unwrap();
            assert!(order_types(&word).contains(&order), "{word}");
            assert!(order_types(order.code).contains(&order));
        }
        let codes = |text| order_types(text).iter().map(|order| order.code).collect::<Vec<_>>();
        assert_eq!(codes("担保消费-担保支付"), ["2089"]);
        assert_eq!(codes("担保确认"), ["2090", "2091"]);
        assert_eq!(codes("消费-消费"), ["2085"]);
        assert!(codes("理财").is_empty());
    }
}
