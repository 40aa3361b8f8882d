//! `alipay.open.app.alipaycert.download`: the certificate behind a serial (reference/alipay.md 3.5, 5.10).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::common::Biz;
use super::super::fields;
use super::super::keys;
use super::super::options::KeyMode;
use super::super::refusal::Refusal;
use super::{Moment, Node, put, success};

pub(super) fn execute(biz: &Biz, moment: Moment<'_>) -> Result<Node, Refusal> {
    fields::only_known(biz, &["alipay_cert_sn"])?;
    let sn = fields::required(biz, "alipay_cert_sn", 64)?;
    let pem = match moment.options.mode {
        KeyMode::Certificate => keys::certificate(sn),
        KeyMode::PublicKey => None,
    };
    let pem = pem.ok_or_else(|| Refusal::invalid("isv.alipay-cert-not-exist", "no certificate has this serial"))?;
    let mut node = success();
    put(&mut node, "alipay_cert_content", STANDARD.encode(pem));
    Ok(node)
}
