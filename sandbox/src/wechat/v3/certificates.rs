//! Platform certificates, encrypted under the APIv3 key (reference/wechatpay.md 1.6). New merchants have none.

use serde_json::{Value, json};

use super::super::aead;
use super::super::http::Moment;
use super::super::keys::APIV3_KEY;
use super::super::refusal::Refusal;
use super::super::world::World;
use super::{Call, Done};

pub(super) fn execute(world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    call.query.only_known(&["algorithm_type"])?;
    if call.query.get("algorithm_type").is_some_and(|kind| kind != "RSA" && kind != "ALL") {
        return Err(Refusal::parameter("algorithm_type", "", "仅支持RSA", "query"));
    }
    let certificates = moment.keys.platform_certificates(world.rotated);
    let rows: Vec<Value> = certificates
        .into_iter()
        .filter_map(|certificate| {
            let nonce = world.letters(12);
            let ciphertext = aead::seal(APIV3_KEY, &nonce, "certificate", certificate.pem)?;
            Some(json!({
                "serial_no": certificate.serial,
                "effective_time": "2025-01-01T08:00:00+08:00",
                "expire_time": "2035-01-01T08:00:00+08:00",
                "encrypt_certificate": {
                    "algorithm": "AEAD_AES_256_GCM",
                    "nonce": nonce,
                    "associated_data": "certificate",
                    "ciphertext": ciphertext,
                },
            }))
        })
        .collect();
    if rows.is_empty() {
        return Err(Refusal::new(
            404,
            "RESOURCE_NOT_EXISTS",
            "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥",
        ));
    }
    Ok(Done::Json(json!({ "data": rows })))
}
