"""Allinpay 云商通 by gmssl: a second SM2 and SM4 beside the one of the other half."""

import base64
import json
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from gmssl import sm2, sm4

from ours import b64

SM2_KEY = "301306072a8648ce3d020106082a811ccf5501822d"


def pair(draw):
    """The halves in hex for theirs and in DER for ours."""
    secret = "00" + draw.randbytes(31).hex()
    curve = sm2.default_ecc_table
    point = sm2.CryptSM2("", "")._kg(int(secret, 16), curve["g"])
    der = f"020100{SM2_KEY}042730250201010420{secret}"
    return {
        "crypt": sm2.CryptSM2(private_key=secret, public_key=point),
        "pkcs8": b64(bytes.fromhex(f"30{len(der) // 2:02x}{der}")),
        "spki": b64(bytes.fromhex(f"3059{SM2_KEY}03420004{point}")),
    }


def signed(draw, key, text):
    raw = key["crypt"].sign_with_sm3(text.encode(), draw.randbytes(32).hex())
    return b64(encode_dss_signature(int(raw[:64], 16), int(raw[64:], 16)))


def verified(key, text, sign):
    r, s = decode_dss_signature(base64.b64decode(sign))
    return bool(key["crypt"].verify_with_sm3(f"{r:064x}{s:064x}", text.encode()))


def to_sign(fields, left):
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name not in left and fields[name] != "")


def requests(ours, tally, draw, our, their):
    for kind in ("show", "take", "query"):
        call = {"request": draw.request(kind), "wall": draw.begun(), "entropy": draw.entropy()}
        sent = json.loads(ours("encode", channel="yst", **call)["body"])
        text = to_sign(sent, ["sign", "signType"])
        tally.holds(f"yst {kind}: gmssl verifies", verified(our, text, sent["sign"]))
        tally.is_refused(f"yst {kind}, gmssl, one byte", not verified(our, text + "x", sent["sign"]))
        tally.is_refused(f"yst {kind}, gmssl, another key", not verified(their, text, sent["sign"]))


def answers(ours, tally, draw, chosen, their, nobody):
    wanted = draw.request("query")
    inner = {"respCode": "00000", "result": "1", "reqTraceNum": wanted["attempt"], "respTraceNum": draw.digits(20)}
    inner = {**inner, "respMsg": draw.words(), "orderAmount": wanted["amount"]}
    fields = {"appId": chosen["app_id"], "code": "00000", "bizData": json.dumps(inner, ensure_ascii=False)}
    read = lambda fields, sign: ours(
        "decode", channel="yst", request=wanted, wall=wanted["begun"], body=b64(json.dumps({**fields, "sign": sign}))
    )
    good = signed(draw, their, to_sign(fields, []))
    tally.same("yst answer signed by gmssl", read(fields, good), {"paid": wanted["amount"], "trade_no": inner["respTraceNum"]})
    more = {**fields, "bizData": fields["bizData"] + " "}
    stranger = signed(draw, nobody, to_sign(fields, []))
    for what, message, sign in [("a blank more", more, good), ("a stranger's key", fields, stranger)]:
        tally.is_refused(f"yst answer, ours, {what}", read(message, sign).get("doubt") == "BadSignature")


def sealed_fields(ours, tally, draw, key):
    plain, cipher = draw.words(60), sm4.CryptSM4()
    cipher.set_key(bytes.fromhex(key), sm4.SM4_ENCRYPT)
    theirs = cipher.crypt_ecb(plain.encode()).hex()
    tally.same("sm4: the same text by gmssl", ours("sm4_encrypt", key=key, plain=plain), theirs)
    tally.same("sm4: sealed by gmssl, opened by ours", ours("sm4_decrypt", key=key, sealed=theirs), plain)


def vsp(ours, tally, draw, our, their):
    settings = {"sign_type": "SM2", "cusid": draw.digits(15), "appid": draw.digits(8)}
    ours("open", channel="vsp", kind="vsp", settings={**settings, "private_key": our["pkcs8"], "allinpay_key": their["spki"]})
    sent = ours("encode", channel="vsp", request=draw.request("take"), wall=draw.begun(), entropy=draw.entropy())
    fields = dict(parse_qsl(sent["body"]))
    tally.holds("vsp SM2: gmssl verifies", verified(our, to_sign(fields, ["sign"]), fields["sign"]))


def check(ours, tally, draw):
    our, their, nobody = pair(draw), pair(draw), pair(draw)
    chosen = {"app_id": draw.digits(20), "secret_key": draw.randbytes(16).hex(), "receiver": draw.letters(9), "cusid": draw.digits(15)}
    settings = {**chosen, "private_key": our["pkcs8"], "allinpay_key": their["spki"]}
    ours("open", channel="yst", kind="yst", settings=settings)
    requests(ours, tally, draw, our, their)
    answers(ours, tally, draw, chosen, their, nobody)
    sealed_fields(ours, tally, draw, chosen["secret_key"])
    vsp(ours, tally, draw, our, their)
