//! 4001: files terminals with the three wallets (reference/allinpay.md 3.5).

use super::super::super::http::{Node, Refusal};
use super::super::super::world::{Terminal, World};
use super::super::Yst;
use super::super::fields::{broken, required, text};
use super::{done, put};

pub(super) fn execute(yst: &Yst, world: &mut World, biz: &Node) -> Result<Node, Refusal> {
    if required(biz, "cusId", 15)? != yst.options.vsp_cusid {
        return Err(broken("cusId: no such merchant"));
    }
    let termno = required(biz, "termNo", 8)?;
    if termno.len() != 8 || !termno.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(broken("termNo: 8 letters or digits"));
    }
    let filed = world.terminals.contains_key(termno);
    match (required(biz, "operation", 2)?, filed) {
        ("00", false) | ("01", true) => {
            let terminal = read(biz)?;
            world.terminals.insert(termno.to_owned(), terminal);
        }
        ("02", true) => {
            world.terminals.remove(termno);
        }
        ("03", true) => {}
        ("00", true) => return Err(broken("终端号已存在")),
        ("01" | "02" | "03", false) => return Err(broken("终端号不存在")),
        _ => return Err(broken("operation: 00, 01, 02 or 03")),
    }
    Ok(answer(termno))
}

fn read(biz: &Node) -> Result<Terminal, Refusal> {
    let devicetype = required(biz, "deviceType", 2)?;
    if devicetype.len() != 2 || !devicetype.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(broken("deviceType: 2 digits"));
    }
    if !matches!(text(biz, "termState", 2)?, None | Some("00" | "01")) {
        return Err(broken("termState: 00 or 01"));
    }
    let address = required(biz, "termAddress", 200)?;
    Ok(Terminal { devicetype: devicetype.to_owned(), address: address.to_owned() })
}

fn answer(termno: &str) -> Node {
    let mut node = done("1");
    put(&mut node, "termNo", termno);
    put(&mut node, "retCode", "SUCCESS");
    put(&mut node, "retMsg", "");
    for (state, text) in [("wxState", "wxMsg"), ("alState", "alMsg"), ("unState", "unMsg")] {
        put(&mut node, state, "1");
        put(&mut node, text, "报备成功");
    }
    node
}
