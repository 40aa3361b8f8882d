//! TLS: everything works behind it, and reverses of APIv2 want the merchant's own certificate.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sandbox::wechat::{Fault, MerchantKeys, Operation, TradeState, Weather, other_merchant_keys};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::calling::{Answer, Ask, Cut, exchange};
use crate::till::{NATIVE, Till, micropay, native};

fn connector(root: &str, identity: Option<&MerchantKeys>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        Some(keys) => {
            let chain = vec![CertificateDer::from_pem_slice(keys.certificate_pem.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(keys.private_key_pem.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    TlsConnector::from(Arc::new(config))
}

async fn send(till: &Till, url: &str, ask: &Ask, identity: Option<&MerchantKeys>) -> Result<Answer, Cut> {
    let host = url.strip_prefix("https://").unwrap();
    let tcp = TcpStream::connect(host).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = connector(&till.keys.tls_root_pem, identity).connect(name, tcp).await.unwrap();
    exchange(stream, &ask.bytes(host)).await
}

async fn reverse(till: &Till, number: &str, identity: Option<&MerchantKeys>) -> Answer {
    let ask = till.v2_ask("/secapi/pay/reverse", &[("out_trade_no", number)]);
    send(till, &till.gateway.tls_url(), &ask, identity).await.unwrap()
}

async fn paid(till: &Till) {
    till.v2("/pay/micropay", &micropay("C00001", "350", &till.phone.pay_code())).await;
    till.pass(15_000);
}

fn told<'x>(xml: &'x BTreeMap<String, String>, name: &str) -> &'x str {
    xml.get(name).map(String::as_str).unwrap_or_default()
}

#[tokio::test]
async fn both_hosts_speak_tls_without_a_certificate_of_the_client() {
    let till = Till::open().await;
    for url in [till.gateway.tls_url(), till.gateway.backup_tls_url()] {
        let ask = till.ask_for("POST", NATIVE, &native("N00001", 350));
        let answer = send(&till, &url, &ask, None).await.unwrap();
        assert!(answer.is_signed_by(&till.keys.public_key_id, &till.keys.public_key_pem));
    }
}

#[tokio::test]
async fn a_reverse_with_the_certificate_returns_the_money_once() {
    let till = Till::open().await;
    paid(&till).await;
    let keys = till.keys.clone();
    for _ in 0..2 {
        let xml = reverse(&till, "C00001", Some(&keys)).await.xml();
        assert_eq!((told(&xml, "result_code"), told(&xml, "recall")), ("SUCCESS", "N"));
    }
    let trade = till.trade("C00001");
    assert_eq!((trade.state, trade.refunded_fen), (TradeState::Revoked, 350));
    assert_eq!(till.v2("/pay/orderquery", &[("out_trade_no", "C00001")]).await["trade_state"], "REVOKED");
}

#[tokio::test]
async fn a_reverse_without_a_certificate_or_with_anothers_does_nothing() {
    let till = Till::open().await;
    paid(&till).await;
    assert_eq!(reverse(&till, "C00001", None).await.status, 400);
    let xml = reverse(&till, "C00001", Some(&other_merchant_keys())).await.xml();
    assert_eq!((told(&xml, "return_code"), told(&xml, "return_msg")), ("FAIL", "证书验证失败"));
    assert_eq!(till.trade("C00001").state, TradeState::Success);
}

#[tokio::test]
async fn a_reverse_says_recall_until_it_is_done() {
    let till = Till::open().await;
    paid(&till).await;
    let keys = till.keys.clone();
    till.control.set_weather(Weather::fair().with(Fault::RecallReverse.on(Operation::SecApiReverse).times(2)));
    for _ in 0..2 {
        let xml = reverse(&till, "C00001", Some(&keys)).await.xml();
        assert_eq!((told(&xml, "err_code"), told(&xml, "recall")), ("SYSTEMERROR", "Y"));
    }
    assert_eq!(till.trade("C00001").net_fen(), 350);
    till.control.set_weather(Weather::fair().with(Fault::ReverseWhilePaying.times(1)));
    let xml = reverse(&till, "C00001", Some(&keys)).await.xml();
    assert_eq!((told(&xml, "err_code"), told(&xml, "recall")), ("USERPAYING", "Y"));
    assert_eq!(told(&reverse(&till, "C00001", Some(&keys)).await.xml(), "recall"), "N");
    assert_eq!(told(&reverse(&till, "C00009", Some(&keys)).await.xml(), "err_code"), "ORDERNOTEXIST");
}

#[tokio::test]
async fn a_client_that_does_not_know_the_root_is_not_served() {
    let till = Till::open().await;
    let host = till.gateway.tls_url().replace("https://", "");
    let tcp = TcpStream::connect(&host).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stranger = connector(&till.keys.certificate_pem, None);
    assert!(stranger.connect(name, tcp).await.is_err());
}
