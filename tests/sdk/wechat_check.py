"""WeChat Pay by wechatpayv3: the Authorization header, answers, notices, certificates, encrypted fields."""

import base64
import json
from types import SimpleNamespace
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wechatpayv3 import utils
from wechatpayv3.core import Core

from ours import b64

SCHEME = "WECHATPAY2-SHA256-RSA2048"


def settings(draw, keys):
    return {
        "mchid": draw.digits(10),
        "appid": "wx" + draw.letters(16),
        "private_key": keys["ours"]["pkcs8"],
        "certificate": keys["certificates"]["app"],
        "public_key": keys["theirs"]["public"],
        "public_key_id": "PUB_KEY_ID_" + draw.digits(30),
        "apiv3_key": draw.letters(32),
        "v2_key": draw.letters(32),
        "notify_url": "https://example.com/notice",
        "device_id": draw.letters(8),
        "goods_tag": draw.letters(6),
    }


def serial(pem):
    return f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:X}"


def core(chosen):
    return Core(
        mchid=chosen["mchid"],
        cert_serial_no=serial(chosen["certificate"]),
        private_key=chosen["private_key"],
        apiv3_key=chosen["apiv3_key"],
        public_key=chosen["public_key"],
        public_key_id=chosen["public_key_id"],
    )


def requests(ours, tally, draw, keys, chosen):
    for kind in ("show", "query", "close", "refund", "refund_query"):
        begun = draw.begun()
        sent = ours("encode", channel="wechat", request=draw.request(kind), wall=begun, entropy=draw.entropy())
        header = sent["headers"]["Authorization"]
        nonce = header.split('nonce_str="')[1].split('"')[0]
        address = urlsplit(sent["url"])
        target = address.path + ("?" + address.query if address.query else "")
        utils.time = SimpleNamespace(time=lambda: begun // 1000)
        private = utils.load_private_key(keys["ours"]["pkcs8"])
        theirs = lambda target, body: utils.build_authorization(
            target, sent["method"], chosen["mchid"], serial(chosen["certificate"]), private, data=body, nonce_str=nonce
        )
        tally.same(f"wechat {kind}: their Authorization", header, theirs(target, sent["body"]))
        tally.is_refused(f"wechat {kind}: a blank more in the body", header != theirs(target, sent["body"] + " "))
        tally.is_refused(f"wechat {kind}: another path", header != theirs(target + "/", sent["body"]))


def signed(draw, key, key_id, begun, body):
    """The headers of an answer, signed by their signer."""
    stamp, nonce = str(begun // 1000 + draw.randint(-290, 290)), draw.letters(32)
    private = utils.load_private_key(key["pkcs8"])
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": key_id,
        "Wechatpay-Signature-Type": SCHEME,
        "Wechatpay-Signature": utils.rsa_sign(private, f"{stamp}\n{nonce}\n{body}\n"),
    }


def order(draw, chosen, wanted):
    return {
        "appid": chosen["appid"],
        "mchid": chosen["mchid"],
        "out_trade_no": wanted["attempt"],
        "transaction_id": draw.digits(28),
        "trade_state": "SUCCESS",
        "attach": draw.words(),
        "success_time": "2025-06-01T12:00:00+08:00",
        "payer": {"openid": draw.letters(28)},
        "amount": {"total": wanted["amount"], "payer_total": wanted["amount"], "currency": "CNY"},
    }


def answers(ours, tally, draw, keys, chosen):
    sdk, wanted = core(chosen), draw.request("query")
    content = order(draw, chosen, wanted)
    body = json.dumps(content, ensure_ascii=draw.choice([True, False]))
    headers = signed(draw, keys["theirs"], chosen["public_key_id"], wanted["begun"], body)
    read = lambda headers, body, **more: ours(
        "decode", channel="wechat", **{"request": wanted, "wall": wanted["begun"], "headers": headers, "body": b64(body), **more}
    )
    tally.same("wechat answer signed by theirs", read(headers, body), {"paid": wanted["amount"], "trade_no": content["transaction_id"]})
    tally.holds("wechat answer: their verifier", sdk._verify_signature(headers, body))
    later = str(int(headers["Wechatpay-Timestamp"]) + 1)
    stranger = signed(draw, keys["nobody"], chosen["public_key_id"], wanted["begun"], body)
    own = signed(draw, keys["ours"], chosen["public_key_id"], wanted["begun"], body)
    for what, headers_, body_ in [
        ("another amount", headers, body.replace('"total": ', '"total": 1', 1)),
        ("another time", {**headers, "Wechatpay-Timestamp": later}, body),
        ("a stranger's key", stranger, body),
        ("our own key", own, body),
    ]:
        tally.is_refused(f"wechat answer, ours, {what}", read(headers_, body_).get("doubt") == "BadSignature")
        tally.is_refused(f"wechat answer, theirs, {what}", not sdk._verify_signature(headers_, body_))
    for what, headers_ in [("another scheme", {**headers, "Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"}), ("no signature", {})]:
        tally.is_refused(f"wechat answer, ours, {what}", read(headers_, body).get("doubt") == "BadSignature")
    too_late = read(headers, body, wall=wanted["begun"] + 600_000)
    tally.is_refused("wechat answer, ours, ten minutes old", too_late.get("doubt") == "BadSignature")


def sealed(draw, key, plain, kind):
    nonce, with_ = draw.letters(12), draw.choice(["", "transaction", "certificate"])
    cipher = AESGCM(key.encode()).encrypt(nonce.encode(), plain.encode(), with_.encode())
    found = {"algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": with_, "ciphertext": b64(cipher)}
    return {**found, "original_type": kind} if kind else found


def notices(ours, tally, draw, keys, chosen):
    sdk, wanted = core(chosen), draw.request("query")
    content = order(draw, chosen, wanted)
    plain, key_id, begun = json.dumps(content), chosen["public_key_id"], wanted["begun"]
    resource = sealed(draw, chosen["apiv3_key"], plain, "transaction")

    def posted(resource):
        envelope = {"id": draw.letters(32), "event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource"}
        body = json.dumps({**envelope, "summary": draw.words(), "resource": resource})
        return body, signed(draw, keys["theirs"], key_id, begun, body)

    body, headers = posted(resource)
    told = ours("notice", channel="wechat", wall=begun, headers=headers, body=b64(body))
    tally.holds(f"wechat notice sealed and signed by theirs: {told}", told.startswith("Payment") and content["transaction_id"] in told)
    tally.same("wechat notice: what theirs opens", sdk.decrypt_callback(headers, body), plain)
    broken = b64(draw.changed(base64.b64decode(resource["ciphertext"])))
    for what, changed in [
        ("one bit of the ciphertext", {**resource, "ciphertext": broken}),
        ("other associated data", {**resource, "associated_data": resource["associated_data"] + "x"}),
        ("another nonce", {**resource, "nonce": draw.letters(12)}),
        ("another key", sealed(draw, draw.letters(32), plain, "transaction")),
    ]:
        body_, headers_ = posted(changed)
        refused = ours.refuses("notice", channel="wechat", wall=begun, headers=headers_, body=b64(body_))
        tally.is_refused(f"wechat notice, ours, {what}", refused)
        tally.is_refused(f"wechat notice, theirs, {what}", sdk.decrypt_callback(headers_, body_) is None)
    other = body.replace("TRANSACTION", "TRANSACTIOM")
    refused = ours.refuses("notice", channel="wechat", wall=begun, headers=headers, body=b64(other))
    tally.is_refused("wechat notice, ours, another event under the same signature", refused)


def fetched_certificate(ours, tally, draw, keys, chosen):
    """An answer by a platform certificate that is not here, the list that has it, and the same answer again."""
    later = keys["certificates"]["later"]
    number, wanted = serial(later), draw.request("query")
    begun, content = wanted["begun"], order(draw, chosen, wanted)
    tally.same("wechat: serial number of a certificate", ours("wechat_serial", pem=later), number)
    body = json.dumps(content)
    headers = signed(draw, keys["later"], number, begun, body)
    read = lambda: ours("decode", channel="wechat", request=wanted, wall=begun, headers=headers, body=b64(body))
    tally.same("wechat: a certificate that is not here", read(), {"unknown_key": number})

    def listed(key, named=number):
        data = [{"serial_no": named, "encrypt_certificate": sealed(draw, key, later, None)}]
        listed = json.dumps({"data": data})
        return {"headers": signed(draw, keys["later"], number, begun, listed), "body": b64(listed)}

    take = {"channel": "wechat", "serial": number, "wall": begun}
    tally.is_refused("wechat certificate, ours, sealed under another key", ours.refuses("key", **take, **listed(draw.letters(32))))
    tally.is_refused("wechat certificate, ours, under another number", ours.refuses("key", **take, **listed(chosen["apiv3_key"], "AB" + number)))
    ours("key", **take, **listed(chosen["apiv3_key"]))
    tally.same("wechat answer by a fetched certificate", read(), {"paid": wanted["amount"], "trade_no": content["transaction_id"]})


def fields(ours, tally, draw, keys):
    plain = draw.words(30)
    public = utils.load_public_key(keys["ours"]["public"])
    sealed = utils.rsa_encrypt(plain, public)
    private = keys["ours"]["pkcs8"]
    tally.same("wechat field sealed by theirs", ours("oaep_open", private_key=private, sealed=sealed), plain)
    tally.same("wechat field: what theirs opens", utils.rsa_decrypt(sealed, utils.load_private_key(private)), plain)
    broken = b64(draw.changed(base64.b64decode(sealed)))
    tally.is_refused("wechat field, ours, one bit", ours.refuses("oaep_open", private_key=private, sealed=broken))
    other = utils.rsa_encrypt(plain, utils.load_public_key(keys["theirs"]["public"]))
    tally.is_refused("wechat field, ours, to another key", ours.refuses("oaep_open", private_key=private, sealed=other))


def check(ours, tally, draw, keys):
    chosen = settings(draw, keys)
    ours("open", channel="wechat", kind="wechat", settings=chosen)
    requests(ours, tally, draw, keys, chosen)
    answers(ours, tally, draw, keys, chosen)
    notices(ours, tally, draw, keys, chosen)
    fetched_certificate(ours, tally, draw, keys, chosen)
    fields(ours, tally, draw, keys)
