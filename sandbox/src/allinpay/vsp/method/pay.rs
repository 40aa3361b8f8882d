//! `/unitorder/pay` and `/unitorder/nativepay`: codes for the screen. 0000 says only that the code was made
//! (reference/allinpay.md 2.4, 2.5, 2.10).

use super::super::super::buyers::App;
use super::super::super::http::{Moment, Node, Refusal};
use super::super::super::order::{Origin, Terms};
use super::super::super::world::World;
use super::super::fields;
use super::super::form::Form;
use super::super::open::parameter;
use super::{put, status, terms, trxid};

/// The longest life of a code, in minutes; WeChat's is shorter.
const LONGEST_MINUTES: i64 = 1440;
const LONGEST_WECHAT_MINUTES: i64 = 120;

/// Means that need a page of the wallet, which a machine does not have.
const NOT_ON_A_SCREEN: [&str; 12] =
    ["W02", "W03", "W06", "A02", "A03", "U02", "U03", "Q01", "Q02", "N03", "S02", "W04"];

pub(super) fn one_wallet(world: &mut World, form: &Form, moment: Moment<'_>) -> Result<Node, Refusal> {
    let paytype = fields::required(form, "paytype", 3)?;
    let app = app_of(paytype)?;
    let longest = if app == App::Wechat { LONGEST_WECHAT_MINUTES } else { LONGEST_MINUTES };
    let deadline = fields::deadline(form, longest, moment.now)?;
    let terms = terms(form, world, paytype)?;
    let text = code_text(app, world.next());
    let origin = Origin::Code { text, apps: vec![app], aggregated: false };
    Ok(show(world, terms, origin, moment.now, deadline))
}

pub(super) fn all_wallets(world: &mut World, form: &Form, moment: Moment<'_>) -> Result<Node, Refusal> {
    fields::required(form, "expiretime", 14)?;
    let deadline = fields::deadline(form, LONGEST_MINUTES, moment.now)?;
    let terms = terms(form, world, "nativepay")?;
    let token = format!("{:016x}{:016x}", world.next(), world.next());
    let text = format!("https://syb.allinpay.com/apiweb/h5unionpay/unionnative?token={token}");
    let origin = Origin::Code { text, apps: App::ALL.to_vec(), aggregated: true };
    Ok(show(world, terms, origin, moment.now, deadline))
}

fn app_of(paytype: &str) -> Result<App, Refusal> {
    match paytype {
        "W01" | "W11" => Ok(App::Wechat),
        "A01" => Ok(App::Alipay),
        "U01" => Ok(App::UnionPay),
        "S01" | "S03" => Ok(App::Ecny),
        other if NOT_ON_A_SCREEN.contains(&other) => Err(parameter("paytype: this means gives no code for a screen")),
        _ => Err(parameter("paytype: no such means")),
    }
}

/// What is drawn on the machine's screen for one wallet.
fn code_text(app: App, number: u64) -> String {
    match app {
        App::Wechat => format!("weixin://wxpay/bizpayurl?pr={number:016x}"),
        App::Alipay => format!("https://qr.alipay.com/bax{number:016x}"),
        App::UnionPay => format!("https://qr.95516.com/00010000/{number:020}"),
        App::Ecny => format!("https://syb.allinpay.com/apiweb/h5ecny/pay?key={number:016x}"),
    }
}

fn show(world: &mut World, terms: Terms, origin: Origin, now: i64, deadline: i64) -> Node {
    let (number, fen, trxid) = (terms.number.clone(), terms.amount_fen, trxid(world, now));
    let payinfo = match &origin {
        Origin::Code { text, .. } => text.clone(),
        Origin::PayCode => String::new(),
    };
    world.open_order(terms, trxid.clone(), origin, now, deadline);
    let mut node = status("0000", "");
    put(&mut node, "trxid", trxid);
    put(&mut node, "reqsn", number);
    put(&mut node, "trxamt", fen.to_string());
    put(&mut node, "payinfo", payinfo);
    node
}
