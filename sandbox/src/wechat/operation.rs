//! What can be called: paths and methods (reference/wechatpay.md 3 to 11).

/// A call of the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// v3: make a code that the buyer scans.
    Native,
    /// v3: ask how an order stands, by `out_trade_no`.
    Query,
    /// v3: ask how an order stands, by `transaction_id`.
    QueryById,
    /// v3: close an unpaid order.
    Close,
    /// v3: collect with the buyer's pay code.
    CodePay,
    /// v3: undo a pay code order.
    Reverse,
    /// v3: return money.
    Refund,
    /// v3: ask how a refund stands.
    RefundQuery,
    /// v3: fetch the platform certificates.
    Certificates,
    /// v3: ask for a day's trades.
    TradeBill,
    /// v3: ask for a day's movements of money.
    FundFlowBill,
    /// v3: fetch a bill.
    BillDownload,
    /// v3: the buyers' complaints.
    Complaints,
    /// v2: collect with the buyer's pay code.
    MicroPay,
    /// v2: ask how an order stands.
    OrderQuery,
    /// v2: undo a pay code order; needs the merchant's certificate.
    SecApiReverse,
    /// `api.weixin.qq.com`: get a token.
    Token,
    /// `api.weixin.qq.com`: tell that goods were delivered.
    UploadShipping,
}

/// The kind of protocol that a call speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    V3,
    V2,
    Mini,
}

/// Where a request leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    /// The form of a service provider.
    pub(crate) partner: bool,
    /// The number in the path, decoded.
    pub(crate) number: Option<String>,
}

/// A request that leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// 404.
    UnknownPath,
    /// 405.
    WrongMethod,
}

impl Operation {
    pub(crate) const fn family(self) -> Family {
        match self {
            Self::Native
            | Self::Query
            | Self::QueryById
            | Self::Close
            | Self::CodePay
            | Self::Reverse
            | Self::Refund
            | Self::RefundQuery
            | Self::Certificates
            | Self::TradeBill
            | Self::FundFlowBill
            | Self::BillDownload
            | Self::Complaints => Family::V3,
            Self::MicroPay | Self::OrderQuery | Self::SecApiReverse => Family::V2,
            Self::Token | Self::UploadShipping => Family::Mini,
        }
    }

    const fn is_asked_by_get(self) -> bool {
        match self {
            Self::Query
            | Self::QueryById
            | Self::RefundQuery
            | Self::Certificates
            | Self::TradeBill
            | Self::FundFlowBill
            | Self::BillDownload
            | Self::Complaints
            | Self::Token => true,
            Self::Native
            | Self::Close
            | Self::CodePay
            | Self::Reverse
            | Self::Refund
            | Self::MicroPay
            | Self::OrderQuery
            | Self::SecApiReverse
            | Self::UploadShipping => false,
        }
    }
}

/// Finds the call behind a method and a path.
pub(crate) fn route(method: &str, path: &str) -> Result<Route, NoRoute> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let partner = matches!(segments[..], ["v3", "pay", "partner", ..]);
    let own: Vec<&str> =
        segments.iter().enumerate().filter(|(at, _)| !(partner && *at == 2)).map(|(_, part)| *part).collect();
    let get = method == "GET";
    let (operation, number) = find(&own, get).ok_or(NoRoute::UnknownPath)?;
    // APIv2 has an answer of its own to a wrong method.
    if operation.family() != Family::V2 && operation.is_asked_by_get() != get || !matches!(method, "GET" | "POST") {
        return Err(NoRoute::WrongMethod);
    }
    let number = match number {
        Some(text) => Some(super::query::decode(text).ok_or(NoRoute::UnknownPath)?),
        None => None,
    };
    Ok(Route { operation, partner, number })
}

fn find<'p>(path: &[&'p str], get: bool) -> Option<(Operation, Option<&'p str>)> {
    use Operation as O;
    Some(match *path {
        ["v3", "pay", "transactions", "native"] => (O::Native, None),
        ["v3", "pay", "transactions", "codepay"] => (O::CodePay, None),
        ["v3", "pay", "transactions", "id", number] => (O::QueryById, Some(number)),
        ["v3", "pay", "transactions", "out-trade-no", number] => (O::Query, Some(number)),
        ["v3", "pay", "transactions", "out-trade-no", number, "close"] => (O::Close, Some(number)),
        ["v3", "pay", "transactions", "out-trade-no", number, "reverse"] => (O::Reverse, Some(number)),
        ["v3", "refund", "domestic", "refunds"] => (O::Refund, None),
        ["v3", "refund", "domestic", "refunds", number] => (O::RefundQuery, Some(number)),
        ["v3", "certificates"] => (O::Certificates, None),
        ["v3", "bill", "tradebill"] => (O::TradeBill, None),
        ["v3", "bill", "fundflowbill"] => (O::FundFlowBill, None),
        ["v3", "billdownload", "file"] => (O::BillDownload, None),
        ["v3", "merchant-service", "complaints-v2"] => (O::Complaints, None),
        ["pay", "micropay"] => (O::MicroPay, None),
        ["pay", "orderquery"] => (O::OrderQuery, None),
        ["secapi", "pay", "reverse"] => (O::SecApiReverse, None),
        ["cgi-bin", "token"] if get => (O::Token, None),
        ["wxa", "sec", "order", "upload_shipping_info"] => (O::UploadShipping, None),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_methods_lead_to_calls() {
        let lead = |method, path| route(method, path).map(|route| (route.operation, route.partner, route.number));
        assert_eq!(lead("POST", "/v3/pay/transactions/native"), Ok((Operation::Native, false, None)));
        assert_eq!(lead("POST", "/v3/pay/partner/transactions/native"), Ok((Operation::Native, true, None)));
        let escaped = lead("GET", "/v3/pay/transactions/out-trade-no/VM1%7C0001");
        assert_eq!(escaped, Ok((Operation::Query, false, Some("VM1|0001".to_owned()))));
        assert_eq!(lead("GET", "/v3/pay/transactions/native"), Err(NoRoute::WrongMethod));
        assert_eq!(lead("PUT", "/pay/micropay"), Err(NoRoute::WrongMethod));
        assert_eq!(lead("POST", "/v3/pay/transactions/jsapi"), Err(NoRoute::UnknownPath));
        assert_eq!(lead("POST", "/v3/partner/pay/transactions/native"), Err(NoRoute::UnknownPath));
    }
}
