//! `payMode`: one member, whose name is the mode and whose value is an object or the text of one
//! (reference/allinpay.md 3.5).

use serde_json::Value;

use super::super::buyers::App;
use super::super::http::{Node, Refusal};
use super::super::world::World;
use super::Yst;
use super::fields::{broken, required, text};

/// Modes that exist and that a machine cannot use.
const NOT_ON_A_MACHINE: [&str; 11] = [
    "WECHATPAY_MINIPROGRAM",
    "WECHAT_PUBLIC",
    "ALIPAY_SERVICE",
    "H5_CASHIER_VSP",
    "ORDER_VSPPAY",
    "QUICKPAY_VSP",
    "QUICKPAY_SFT",
    "BALANCE",
    "COUPON",
    "GATEWAY_VSP",
    "WECHAT_PRECONSUME",
];

/// How the buyer pays.
pub(super) enum PayMode {
    /// A code for the screen, for one app.
    Scan { name: &'static str, app: App },
    /// The buyer's pay code.
    Code { authcode: String, termno: String },
}

impl PayMode {
    pub(super) fn read(yst: &Yst, world: &World, biz: &Node) -> Result<Self, Refusal> {
        let modes = object(biz.get("payMode"), "payMode")?;
        let mut members = modes.iter();
        let (Some((name, value)), None) = (members.next(), members.next()) else {
            return Err(broken("payMode: exactly one mode"));
        };
        let mode = object(Some(value), name)?;
        check_mode(yst, &mode)?;
        match name.as_str() {
            "SCAN_WEIXIN" => Ok(Self::Scan { name: "SCAN_WEIXIN", app: App::Wechat }),
            "SCAN_ALIPAY" => Ok(Self::Scan { name: "SCAN_ALIPAY", app: App::Alipay }),
            "SCAN_UNIONPAY" => Ok(Self::Scan { name: "SCAN_UNIONPAY", app: App::UnionPay }),
            "CODEPAY_VSP" => code(world, &mode),
            other if NOT_ON_A_MACHINE.contains(&other) => Err(broken("payMode: this mode is not for a machine")),
            _ => Err(broken("payMode: no such mode")),
        }
    }

    /// The name of the mode.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Scan { name, .. } => name,
            Self::Code { .. } => "CODEPAY_VSP",
        }
    }
}

/// An object, or a text that holds one.
fn object(value: Option<&Value>, name: &str) -> Result<Node, Refusal> {
    let wrong = || broken(format!("{name}: a JSON object, or the text of one"));
    match value {
        Some(Value::Object(object)) => Ok(object.clone()),
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| wrong()),
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => Err(wrong()),
    }
}

fn check_mode(yst: &Yst, mode: &Node) -> Result<(), Refusal> {
    if text(mode, "vspCusid", 15)?.is_some_and(|cusid| cusid != yst.options.vsp_cusid) {
        return Err(broken("vspCusid: no such merchant"));
    }
    if text(mode, "limitPay", 32)?.is_some_and(|limit| limit != "no_credit") {
        return Err(broken("limitPay: no_credit or nothing"));
    }
    Ok(())
}

fn code(world: &World, mode: &Node) -> Result<PayMode, Refusal> {
    let authcode = required(mode, "authcode", 32)?;
    if authcode.len() < 16 || !authcode.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(broken("authcode: 16 to 24 digits"));
    }
    let terminal = object(mode.get("termInfo"), "termInfo")?;
    let termno = required(&terminal, "termNo", 8)?;
    let devicetype = required(&terminal, "deviceType", 2)?;
    match world.terminals.get(termno) {
        Some(filed) if filed.devicetype == devicetype => {
            Ok(PayMode::Code { authcode: authcode.to_owned(), termno: termno.to_owned() })
        }
        Some(_) => Err(broken("termInfo: the terminal was filed with another deviceType")),
        None => Err(broken("终端未报备: file termNo by 4001 first")),
    }
}
