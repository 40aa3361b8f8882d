//! The methods of the gateway, one file each.

mod bill_url;
mod cancel;
mod cert_download;
mod close;
mod members;
mod pay;
mod precreate;
mod query;
mod refund;
mod refund_query;
mod repeat;

use serde_json::{Map, Value};

pub(crate) use cancel::later as cancel_later;

use super::common::Biz;
use super::options::GatewayOptions;
use super::refusal::Refusal;
use super::world::World;

/// A method of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Make a code that the buyer scans.
    Precreate,
    /// Collect with the buyer's pay code.
    Pay,
    /// Ask how a trade stands.
    Query,
    /// Undo a trade, paid or not.
    Cancel,
    /// Close an unpaid trade.
    Close,
    /// Return money.
    Refund,
    /// Ask how a refund stands.
    RefundQuery,
    /// Fetch the gateway's certificate after a rotation.
    CertDownload,
    /// Ask where a day's bill lies.
    BillUrl,
}

/// Every method, in the order of the reference.
const ALL: [Method; 9] = [
    Method::Precreate,
    Method::Pay,
    Method::Query,
    Method::Cancel,
    Method::Close,
    Method::Refund,
    Method::RefundQuery,
    Method::CertDownload,
    Method::BillUrl,
];

impl Method {
    /// The name in the parameter `method`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Precreate => "alipay.trade.precreate",
            Self::Pay => "alipay.trade.pay",
            Self::Query => "alipay.trade.query",
            Self::Cancel => "alipay.trade.cancel",
            Self::Close => "alipay.trade.close",
            Self::Refund => "alipay.trade.refund",
            Self::RefundQuery => "alipay.trade.fastpay.refund.query",
            Self::CertDownload => "alipay.open.app.alipaycert.download",
            Self::BillUrl => "alipay.data.dataservice.bill.downloadurl.query",
        }
    }

    /// The method with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|method| method.name() == name)
    }

    /// The member of the answer that holds the node.
    pub(crate) fn node(self) -> String {
        format!("{}_response", self.name().replace('.', "_"))
    }
}

/// A call at its moment: the rules and the time.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) options: &'a GatewayOptions,
    pub(crate) now: i64,
    /// The weather makes the buyer confirm on the phone.
    pub(crate) buyer_confirms: bool,
}

/// The members of an answer's node.
pub(crate) type Node = Map<String, Value>;

/// A refusal, with what some methods still tell beside it.
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    pub(crate) beside: Vec<(&'static str, String)>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, beside: Vec::new() }
    }
}

/// Carries out a call.
pub(crate) fn execute(method: Method, world: &mut World, biz: &Biz, moment: Moment<'_>) -> Result<Node, Refused> {
    match method {
        Method::Precreate => precreate::execute(world, biz, moment).map_err(Refused::from),
        Method::Pay => pay::execute(world, biz, moment).map_err(Refused::from),
        Method::Query => query::execute(world, biz, moment),
        Method::Cancel => cancel::execute(world, biz, moment),
        Method::Close => close::execute(world, biz).map_err(Refused::from),
        Method::Refund => refund::execute(world, biz, moment).map_err(Refused::from),
        Method::RefundQuery => refund_query::execute(world, biz).map_err(Refused::from),
        Method::CertDownload => cert_download::execute(biz, moment).map_err(Refused::from),
        Method::BillUrl => bill_url::execute(world, biz, moment).map_err(Refused::from),
    }
}

/// A node that begins as every success does.
fn success() -> Node {
    let mut node = Node::new();
    put(&mut node, "code", "10000");
    put(&mut node, "msg", "Success");
    node
}

fn put(node: &mut Node, name: &str, value: impl Into<String>) {
    node.insert(name.to_owned(), Value::String(value.into()));
}
