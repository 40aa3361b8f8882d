//! `/cusapi/merchantapi/addterm`: files terminals (终端报备, reference/allinpay.md 2.3).

use super::super::super::http::{Node, Refusal};
use super::super::super::world::{Terminal, World};
use super::super::fields::required;
use super::super::form::Form;
use super::super::open::parameter;
use super::put;

pub(super) fn execute(world: &mut World, form: &Form) -> Result<Node, Refusal> {
    let termno = required(form, "termno", 8)?;
    if termno.len() != 8 || !termno.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(parameter("termno: 8 letters or digits"));
    }
    let filed = world.terminals.contains_key(termno);
    match (required(form, "operation", 2)?, filed) {
        ("00", false) | ("01", true) => {
            let terminal = read(form)?;
            world.terminals.insert(termno.to_owned(), terminal);
        }
        ("02", true) => {
            world.terminals.remove(termno);
        }
        ("03", true) => {}
        ("00", true) => return Err(parameter("终端号已存在")),
        ("01" | "02" | "03", false) => return Err(parameter("终端号不存在")),
        _ => return Err(parameter("operation: 00, 01, 02 or 03")),
    }
    Ok(answer(world, termno))
}

fn read(form: &Form) -> Result<Terminal, Refusal> {
    let devicetype = required(form, "devicetype", 2)?;
    if devicetype.len() != 2 || !devicetype.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(parameter("devicetype: 2 digits"));
    }
    if !matches!(form.get("termstate"), None | Some("00" | "01")) {
        return Err(parameter("termstate: 00 or 01"));
    }
    let address = required(form, "termaddress", 200)?;
    Ok(Terminal { devicetype: devicetype.to_owned(), address: address.to_owned() })
}

fn answer(world: &World, termno: &str) -> Node {
    let mut node = Node::new();
    put(&mut node, "termno", termno);
    if let Some(terminal) = world.terminals.get(termno) {
        put(&mut node, "termstate", "00");
        put(&mut node, "devicetype", &*terminal.devicetype);
        put(&mut node, "termaddress", &*terminal.address);
    }
    node
}
