use super::*;

const SM2: [&str; 2] = [
    include_str!("../../../keys/vsp_merchant_sm2_private_key.pem"),
    include_str!("../../../keys/vsp_merchant_sm2_private_key_with_parameters.pem"),
];
const SM2_PUBLIC: &str = include_str!("../../../keys/vsp_merchant_sm2_public_key.pem");
const PLATFORM: &str = include_str!("../../../keys/vsp_platform_rsa_private_key.pem");
const PLATFORM_PUBLIC: &str = include_str!("../../../keys/vsp_platform_rsa_public_key.pem");

#[test]
fn both_shapes_of_a_private_sm2_key_sign_the_same() {
    let verifier = Sm2Verifier::from_pem(SM2_PUBLIC).unwrap();
    let signatures = SM2.map(|pem| Sm2Signer::from_pem(pem).unwrap().sign("可乐"));
    assert_eq!(signatures[0], signatures[1]);
    assert!(verifier.holds("可乐", &signatures[0]));
    assert!(!verifier.holds("可乐 ", &signatures[0]));
}

#[test]
fn an_sm2_signature_is_der_and_nothing_else() {
    let verifier = Sm2Verifier::from_pem(SM2_PUBLIC).unwrap();
    let signer = Sm2Signer::from_pem(SM2[0]).unwrap();
    for round in 0..40 {
        let text = format!("a={round}");
        let signed = signer.sign(&text);
        let bytes = STANDARD.decode(&signed).unwrap();
        assert!(verifier.holds(&text, &signed), "{round}");
        let bare = of_der(&bytes).unwrap().to_bytes();
        assert!(!verifier.holds(&text, &STANDARD.encode(bare)), "r and s without DER");
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(!verifier.holds(&text, &STANDARD.encode(longer)), "a byte too many");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!verifier.holds(&text, &hex), "hexadecimal");
    }
}

#[test]
fn a_key_of_1024_bit_signs_by_sha1_with_rsa() {
    let verifier = RsaVerifier::from_pem(PLATFORM_PUBLIC).unwrap();
    let signed = RsaSigner::from_pem(PLATFORM).unwrap().sign("a=1&b=可乐");
    assert_eq!(STANDARD.decode(&signed).unwrap().len(), 128);
    assert!(verifier.holds("a=1&b=可乐", &signed) && !verifier.holds("a=1&b=可乐!", &signed));
}

/// Published by a test of a public client; made by Allinpay's own key of 1024 bit (reference/vectors/allinpay.json).
#[test]
fn the_published_vector_holds() {
    let key = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCYBzBmLLKYIbz/sgm4yxuNwpGbkN2Ccg3JhCsb5oG5SE35okz8dm/WNosA0/YJyxhMUw5tQS9gPFczKG42h34gpk2w3LbuvNDC5qQw5FV5iTqnZV4dLXC44TePogwNipEaoh8bA6Ymik+jDAbnnF0GybT5VXNV41YaFJc1IDwq7wIDAQAB";
    let text =
        "appid=00000051&cusid=990581007426001&randomstr=82712208&signtype=RSA&trxid=112094120001088317&version=11";
    let sign = "ce6EAOj4rhoBMJM5MJCNG4qQ/CVMTWkoRuSGpSzRAnD3U3V5QyHkQUEej2eZXRaa+qSbw2/IJJSPV0sPuAia1+ccb7OnvxyZqkV9wQyimX6qAMz0K+UWFhQ5McCcQ/XsFhhezoVd5QgL7PtdvuK1AtjuzA3J9yzNmwuPssPnKnc=";
    assert!(RsaVerifier::from_pem(key).unwrap().holds(text, sign));
}
