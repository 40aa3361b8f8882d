//! Certificate mode: replies under a known, an unknown and a fetched certificate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use der::{Reader, SliceReader};
use serde_json::json;

use super::super::cert::{self, Certificate};
use super::super::wire::Method;
use super::super::{Alipay, CertificateError, Config, Decoded, Verify};
use super::{alipay, certificate_config, filled, reply, text, trade};
use crate::channel::keys::PrivateKey;
use crate::channel::outcome::{DoubtKind, Reversal};
use crate::channel::pem;
use crate::channel::{Answer, Request};

const CLOSED: &str = r#"{"code":"10000","msg":"Success","out_trade_no":"$NO","retry_flag":"N","action":"close"}"#;

/// A cancel's reply signed with the vector key of Alipay, naming certificate `sn`.
fn cancelled(sn: &str) -> Vec<u8> {
    let body = reply("alipay_trade_cancel_response", filled(CLOSED).as_bytes());
    let body = String::from_utf8(body).unwrap();
    body.replacen('{', &format!("{{\"alipay_cert_sn\":\"{sn}\","), 1).into_bytes()
}

fn certificate_reply(pem: &str) -> Vec<u8> {
    let content = json!({"code": "10000", "msg": "Success", "alipay_cert_content": STANDARD.encode(pem)});
    reply(&Method::CertificateDownload.node(), content.to_string().as_bytes())
}

fn certificate_pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

fn alipay_sn() -> String {
    text("/cert_sn/root_bundle/alipay_cert_sn")
}

fn alipay_pem() -> String {
    text("/cert_sn/certs/1/pem")
}

fn authority() -> String {
    text("/cert_sn/intermediates/class2")
}

/// A terminal whose local "Alipay certificate" is another one, as after Alipay changed to a new certificate. Any RSA
/// certificate that is not for our key can play the old one: the authority's own will do.
fn before_rotation() -> Alipay {
    let Verify::Certificates { app, root, .. } = certificate_config().verify else { panic!() };
    let verify = Verify::Certificates { app, alipay: authority(), root };
    Alipay::new(Config { verify, ..certificate_config() }).unwrap()
}

fn closed() -> Decoded {
    Decoded::Answer(Answer::Reversal(Reversal::Closed))
}

#[test]
fn a_reply_under_the_local_certificate_is_read() {
    let alipay = Alipay::new(certificate_config()).unwrap();
    let request = Request::Cancel(trade());
    assert_eq!(alipay.decode(&request, 200, &cancelled(&alipay_sn())), closed());
    let without_number = reply("alipay_trade_cancel_response", filled(CLOSED).as_bytes());
    assert_eq!(alipay.decode(&request, 200, &without_number), closed());
}

#[test]
fn a_changed_certificate_is_fetched_checked_and_used() {
    let alipay = before_rotation();
    let request = Request::Cancel(trade());
    let body = cancelled(&alipay_sn());
    assert_eq!(alipay.decode(&request, 200, &body), Decoded::UnknownKey { serial: alipay_sn() });
    let chain = format!("{}{}", alipay_pem(), authority());
    alipay.accept_certificate(&alipay_sn(), 200, &certificate_reply(&chain)).unwrap();
    assert_eq!(alipay.decode(&request, 200, &body), closed());
}

#[test]
fn authorities_from_our_own_files_complete_a_chain() {
    let Verify::Certificates { app, root, .. } = certificate_config().verify else { panic!() };
    let app = format!("{app}{}", authority());
    let verify = Verify::Certificates { app, alipay: authority(), root };
    let alipay = Alipay::new(Config { verify, ..certificate_config() }).unwrap();
    alipay.accept_certificate(&alipay_sn(), 200, &certificate_reply(&alipay_pem())).unwrap();
}

#[test]
fn a_certificate_without_a_chain_is_not_taken() {
    let alipay = before_rotation();
    let (leaf, sn) = (alipay_pem(), alipay_sn());
    let wrong_authority = format!("{leaf}{}", text("/cert_sn/intermediates/class1"));
    let stranger = text("/cert_sn/certs/3/pem");
    let stranger_sn = text("/cert_sn/certs/3/cert_sn");
    for (sn, pem) in [(&sn, &wrong_authority), (&stranger_sn, &stranger)] {
        let refused = alipay.accept_certificate(sn, 200, &certificate_reply(pem));
        assert_eq!(refused, Err(CertificateError::NoChain(sn.clone())));
    }
    let body = cancelled(&sn);
    let unknown = Decoded::UnknownKey { serial: sn };
    assert_eq!(alipay.decode(&Request::Cancel(trade()), 200, &body), unknown, "a refused certificate was used");
}

#[test]
fn a_forged_certificate_is_not_taken() {
    let authorities = Certificate::read_all(&authority()).unwrap();
    let roots = Certificate::read_all(&text("/cert_sn/root_bundle/pem")).unwrap();
    let genuine = Certificate::read_all(&alipay_pem()).unwrap();
    assert!(cert::chains_to_root(&genuine[0], &authorities, &roots));
    let der = pem::one(&alipay_pem()).unwrap().der;
    // One bit of the key, and one of the signature.
    for place in [der.len() / 2, der.len() - 5] {
        let mut forged = der.clone();
        forged[place] ^= 1;
        let pem = certificate_pem(&forged);
        let forged = Certificate::read_all(&pem).unwrap();
        assert!(!cert::chains_to_root(&forged[0], &authorities, &roots));
    }
    assert!(!cert::chains_to_root(&genuine[0], &[], &roots));
    assert!(!cert::chains_to_root(&genuine[0], &authorities, &[]));
}

/// The members of a DER sequence, each whole.
fn members(der: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = SliceReader::new(der).unwrap();
    let found = reader.sequence(|inner| {
        let mut found = Vec::new();
        while !inner.is_finished() {
            found.push(inner.tlv_bytes()?.to_vec());
        }
        Ok::<_, der::Error>(found)
    });
    found.unwrap()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

/// A certificate for somebody, issued by the holder of our application certificate: the key is genuine, the right is not.
fn issued_by_a_merchant() -> Certificate {
    let app = members(&pem::one(&text("/cert_sn/certs/0/pem")).unwrap().der);
    let model = members(&pem::one(&alipay_pem()).unwrap().der);
    let mut signed = members(&model[0]);
    // Members: version, serial, algorithm, issuer, validity, subject, key, extensions.
    signed[3] = members(&app[0])[5].clone();
    let signed = tlv(0x30, &signed.concat());
    let key = PrivateKey::load(&text("/keys/app/pkcs1_pem")).unwrap();
    let signature = STANDARD.decode(key.sign_sha256(&signed)).unwrap();
    let signature = tlv(0x03, &[&[0], &signature[..]].concat());
    let der = tlv(0x30, &[signed, model[1].clone(), signature].concat());
    Certificate::read_all(&certificate_pem(&der)).unwrap().remove(0)
}

#[test]
fn a_merchants_certificate_issues_no_others() {
    let forged = issued_by_a_merchant();
    let app = Certificate::read_all(&text("/cert_sn/certs/0/pem")).unwrap();
    let class1 = Certificate::read_all(&text("/cert_sn/intermediates/class1")).unwrap();
    let between = [app.clone(), class1].concat();
    let roots = Certificate::read_all(&text("/cert_sn/root_bundle/pem")).unwrap();
    // Its signature is right: it would pass if the merchant were an authority, or a root.
    assert!(cert::chains_to_root(&app[0], &between, &roots));
    assert!(cert::chains_to_root(&forged, &[], &app));
    assert!(!cert::chains_to_root(&forged, &between, &roots));
}

#[test]
fn useless_answers_to_a_certificate_request_are_named() {
    let alipay_cert = before_rotation();
    let sn = alipay_sn();
    let accept = |body: &[u8]| alipay_cert.accept_certificate(&sn, 200, body).unwrap_err();
    let other = format!("{}{}", text("/cert_sn/certs/0/pem"), text("/cert_sn/intermediates/class1"));
    let found = text("/cert_sn/certs/0/cert_sn");
    assert_eq!(accept(&certificate_reply(&other)), CertificateError::OtherNumber { asked: sn.clone(), found });
    assert!(matches!(accept(b"<html>"), CertificateError::Malformed(_)));
    assert!(matches!(accept(&certificate_reply("text")), CertificateError::Certificate(_)));
    let refusal = br#"{"error_response":{"code":"40002","msg":"Invalid","sub_code":"isv.invalid-app-id"}}"#;
    assert_eq!(accept(refusal), CertificateError::Refused("isv.invalid-app-id (Invalid)".into()));
    assert_eq!(alipay_cert.accept_certificate(&sn, 502, b""), Err(CertificateError::Http(502)));
    assert_eq!(alipay().accept_certificate(&sn, 200, b""), Err(CertificateError::KeyMode));
}

#[test]
fn a_certificate_number_that_is_none_is_not_fetched() {
    let alipay = Alipay::new(certificate_config()).unwrap();
    for sn in ["x", "00/../00", &"g".repeat(32)] {
        let Decoded::Answer(answer) = alipay.decode(&Request::Cancel(trade()), 200, &cancelled(sn)) else {
            panic!("{sn} would be fetched");
        };
        assert_eq!(super::kind(&answer), Some(DoubtKind::BadSignature));
    }
}
