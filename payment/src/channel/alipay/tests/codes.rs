//! The table of codes against the lists of Alipay's documents, written down a second time here.

use super::super::codes::{Class, TABLE, class};
use super::super::wire::Method;
use crate::channel::outcome::Why;

/// Method, class, codes. `...` marks one member of a family that the table covers by a pattern.
const DOCUMENTED: &str = "
offer trouble ACQ.SYSTEM_ERROR
precreate trouble ACQ.APPLY_PC_MERCHANT_CODE_ERROR
offer setup ACQ.INVALID_PARAMETER ACQ.ACCESS_FORBIDDEN ACQ.PARTNER_ERROR
offer order ACQ.EXIST_FORBIDDEN_WORD ACQ.TOTAL_FEE_EXCEED
offer refresh ACQ.PAYMENT_AUTH_CODE_INVALID ACQ.PULL_MOBILE_CASHIER_FAIL ACQ.PAYMENT_FAIL
offer ask ACQ.CONTEXT_INCONSISTENT ACQ.TRADE_HAS_SUCCESS ACQ.TRADE_BUYER_NOT_MATCH ACQ.TRADE_STATUS_ERROR
offer number ACQ.TRADE_HAS_CLOSE ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR
offer buyer ACQ.BUYER_BALANCE_NOT_ENOUGH ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH ACQ.ERROR_BALANCE_PAYMENT_DISABLE
offer buyer ACQ.BUYER_SELLER_EQUAL ACQ.BUYER_ENABLE_STATUS_FORBID ACQ.BUYER_NOT_EXIST ACQ.NOT_CERTIFIED_USER
offer buyer ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT ACQ.CERT_EXPIRED ACQ.BUYER_NOT_MAINLAND_CERT
offer buyer ACQ.MOBILE_PAYMENT_SWITCH_OFF ACQ.USER_FACE_PAYMENT_SWITCH_OFF ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR
offer buyer ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE
offer buyer ACQ.NOT_SUPPORT_PAYMENT_INST ACQ.PAYMENT_REQUEST_HAS_RISK
offer setup ACQ.BEYOND_PAY_RESTRICTION ACQ.BEYOND_PER_RECEIPT_RESTRICTION ACQ.BEYOND_PER_RECEIPT_SINGLE_RESTRICTION
offer setup ACQ.BEYOND_PER_RECEIPT_DAY_RESTRICTION ACQ.MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT
offer setup ACQ.MERCHANT_PERM_RECEIPT_SINGLE_LIMIT ACQ.MERCHANT_PERM_RECEIPT_DAY_LIMIT ACQ.PRODUCT_AMOUNT_LIMIT_ERROR
offer setup ACQ.REQUEST_AMOUNT_EXCEED ACQ.SELLER_BEEN_BLOCKED ACQ.SELLER_NOT_EXIST ACQ.MERCHANT_STATUS_NOT_NORMAL
offer setup ACQ.INVALID_RECEIVE_ACCOUNT ACQ.RESTRICTED_MERCHANT_INDUSTRY ACQ.MERCHANT_AGREEMENT_... ACQ.INVALID_STORE_ID
offer setup ACQ.SUB_MERCHANT_CREATE_FAIL ACQ.SUB_MERCHANT_TYPE_INVALID ACQ.SECONDARY_MERCHANT_...
offer setup ACQ.PLATFORM_BUSINESS_ACQUIRE_MODE_MUST_MERCHANT_ID ACQ.SUB_GOODS_SIZE_MAX_COUNT ACQ.TRADE_SETTLE_ERROR
offer setup ACQ.ROYALTY_ACCOUNT_NOT_EXIST ACQ.DEFAULT_SETTLE_RULE_NOT_EXIST ACQ.RISK_MERCHANT_IP_NOT_EXIST
offer setup ACQ.UN_SUPPORT_TRADE_SCENE ACQ.CURRENCY_NOT_SUPPORT ACQ.AMOUNT_OR_CURRENCY_ERROR
offer setup ACQ.AGREEMENT_... ACQ.AUTH_... ACQ.ZM_... ACQ.CYCLE_PAY_... ACQ.OVER_...
query trouble ACQ.SYSTEM_ERROR ACQ.INVALID_PARAMETER ACQ.ENTERPRISE_PAY_BIZ_ERROR
query no-trade ACQ.TRADE_NOT_EXIST
cancel again AQC.SYSTEM_ERROR ACQ.SYSTEM_ERROR
cancel short ACQ.SELLER_BALANCE_NOT_ENOUGH
cancel trouble ACQ.INVALID_PARAMETER
cancel no-trade ACQ.TRADE_NOT_EXIST
cancel ask ACQ.REASON_TRADE_BEEN_FREEZEN ACQ.TRADE_HAS_FINISHED ACQ.TRADE_CANCEL_TIME_OUT
cancel ask ACQ.REASON_TRADE_REFUND_FEE_ERR ACQ.CANCEL_NOT_ALLOWED
close again ACQ.SYSTEM_ERROR
close trouble ACQ.INVALID_PARAMETER
close no-trade ACQ.TRADE_NOT_EXIST
close ask ACQ.TRADE_STATUS_ERROR ACQ.REASON_TRADE_STATUS_INVALID ACQ.REASON_ILLEGAL_STATUS
refund trouble ACQ.SYSTEM_ERROR
refund short ACQ.SELLER_BALANCE_NOT_ENOUGH
refund ask ACQ.TRADE_STATUS_ERROR ACQ.REASON_TRADE_STATUS_INVALID ACQ.TRADE_HAS_CLOSE
refund rejected ACQ.INVALID_PARAMETER ACQ.REFUND_AMT_NOT_EQUAL_TOTAL ACQ.REASON_TRADE_REFUND_FEE_ERR ACQ.REFUND_FEE_ERROR
refund rejected ACQ.REASON_TRADE_BEEN_FREEZEN ACQ.TRADE_NOT_EXIST ACQ.TRADE_HAS_FINISHED ACQ.TRADE_NOT_ALLOW_REFUND
refund rejected ACQ.DISCORDANT_REPEAT_REQUEST ACQ.BUYER_NOT_EXIST ACQ.BUYER_ENABLE_STATUS_FORBID ACQ.BUYER_ERROR
refund rejected ACQ.NOT_ALLOW_PARTIAL_REFUND ACQ.ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND ACQ.CURRENCY_NOT_SUPPORT
refund rejected ACQ.ALLOC_AMOUNT_VALIDATE_ERROR ACQ.REFUNDALLOC_UNAUTH_LIMIT ACQ.REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST
refund rejected ACQ.USER_NOT_MATCH_ERR ACQ.TRADE_SETTLE_ERROR ACQ.REFUND_CHARGE_ERROR ACQ.REFUND_ACCOUNT_NOT_EXIST
refund rejected ACQ.CUSTOMER_VALIDATE_ERROR ACQ.ENTERPRISE_PAY_BIZ_ERROR ACQ.OVERDRAFT_ASSIGN_ACCOUNT_INVALID
refund rejected ACQ.OVERDRAFT_AGREEMENT_NOT_MATCH
refund-query trouble ACQ.SYSTEM_ERROR ACQ.INVALID_PARAMETER
refund-query no-trade ACQ.TRADE_NOT_EXIST TRADE_NOT_EXIST
";

const EVERY_METHOD: [Method; 8] = [
    Method::Precreate,
    Method::Pay,
    Method::Query,
    Method::Cancel,
    Method::Close,
    Method::Refund,
    Method::RefundQuery,
    Method::CertificateDownload,
];

fn methods(name: &str) -> Vec<Method> {
    match name {
        "offer" => vec![Method::Precreate, Method::Pay],
        "precreate" => vec![Method::Precreate],
        "query" => vec![Method::Query],
        "cancel" => vec![Method::Cancel],
        "close" => vec![Method::Close],
        "refund" => vec![Method::Refund],
        "refund-query" => vec![Method::RefundQuery],
        other => panic!("no method {other}"),
    }
}

fn meaning(name: &str) -> Class {
    match name {
        "trouble" => Class::Trouble,
        "refresh" => Class::Refused(Why::RefreshCode),
        "buyer" => Class::Refused(Why::Buyer),
        "number" => Class::Refused(Why::NewNumber),
        "order" => Class::Refused(Why::Order),
        "setup" => Class::Refused(Why::Setup),
        "ask" => Class::Ask,
        "no-trade" => Class::NoTrade,
        "again" => Class::Again,
        "short" => Class::ShortOfFunds,
        "rejected" => Class::Rejected,
        other => panic!("no class {other}"),
    }
}

pub(super) fn documented() -> Vec<(Vec<Method>, Class, &'static str)> {
    let rows = DOCUMENTED.lines().filter(|line| !line.is_empty());
    rows.flat_map(|line| {
        let (method, rest) = line.split_once(' ').unwrap();
        let (class, codes) = rest.split_once(' ').unwrap();
        codes.split(' ').map(move |code| (methods(method), meaning(class), code))
    })
    .collect()
}

#[test]
fn every_documented_code_has_its_meaning() {
    for (methods, expected, code) in documented() {
        let sent = code.replace("...", "SOMETHING_NEW");
        for method in methods {
            assert_eq!(class(method, &sent), Some(expected), "{method:?} {sent}");
        }
    }
}

#[test]
fn the_table_holds_the_documented_codes_and_no_others() {
    let written = documented();
    assert_eq!(TABLE.len(), written.len());
    for (methods, code, _) in TABLE {
        let twin = code.replace('*', "...");
        let found = written.iter().any(|(on, _, known)| on == methods && *known == twin);
        assert!(found, "{methods:?} {code} is not documented");
    }
}

#[test]
fn an_unlisted_code_has_no_meaning() {
    for method in EVERY_METHOD {
        for code in ["", "ACQ.", "ACQ.A_NEW_ONE", "acq.SYSTEM_ERROR", "SYSTEM_ERROR", "isv.invalid-signature", "*"] {
            assert_eq!(class(method, code), None, "{method:?} {code}");
        }
    }
    assert_eq!(class(Method::Pay, "ACQ.APPLY_PC_MERCHANT_CODE_ERROR"), None);
    assert_eq!(class(Method::Query, "ACQ.TRADE_HAS_SUCCESS"), None);
}
