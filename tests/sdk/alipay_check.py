"""Alipay by alipay-sdk-python: whole requests, signatures of answers and notices."""

import importlib
import json
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote_plus, urlsplit

from alipay.aop.api import DefaultAlipayClient as client_module
from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
from alipay.aop.api.util.SignatureUtils import get_sign_content, sign_with_rsa2, verify_with_rsa

from ours import b64

CALLS = {
    "show": ("AlipayTradePrecreate", "alipay.trade.precreate"),
    "take": ("AlipayTradePay", "alipay.trade.pay"),
    "query": ("AlipayTradeQuery", "alipay.trade.query"),
    "cancel": ("AlipayTradeCancel", "alipay.trade.cancel"),
    "close": ("AlipayTradeClose", "alipay.trade.close"),
    "refund": ("AlipayTradeRefund", "alipay.trade.refund"),
    "refund_query": ("AlipayTradeFastpayRefundQuery", "alipay.trade.fastpay.refund.query"),
}


def bare(pem):
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


def settings(draw, keys):
    return {
        "app_id": draw.digits(16),
        "private_key": keys["ours"]["pkcs1"],
        "alipay_key": keys["theirs"]["public"],
        "seller_id": draw.choice([None, "2088" + draw.digits(12)]),
        "store_id": draw.choice([None, draw.letters(12)]),
        "terminal_id": draw.choice([None, draw.letters(8)]),
        "operator_id": draw.choice([None, draw.letters(8)]),
        "product_code": draw.choice([None, "FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE"]),
        "sys_service_provider_id": draw.choice([None, "2088" + draw.digits(12)]),
        "notify_url": draw.choice([None, "https://example.com/n?a=" + draw.letters(5)]),
        "disable_pay_channels": draw.choice([None, "credit_group,pcredit"]),
    }


def parameters(request):
    return dict(parse_qsl(urlsplit(request["url"]).query) + parse_qsl(request["body"]))


def client(keys, app_id, alipay_key):
    config = AlipayClientConfig()
    config.app_id, config.format, config.charset = app_id, "JSON", "utf-8"
    config.app_private_key = bare(keys["ours"]["pkcs1"])
    config.alipay_public_key = bare(alipay_key)
    return DefaultAlipayClient(config)


def through_their_model(kind, fields):
    """The business fields, as far as their model of the call knows them by name."""
    name = f"{CALLS[kind][0]}Model"
    model = getattr(importlib.import_module(f"alipay.aop.api.domain.{name}"), name)
    return model.from_alipay_dict(fields).to_alipay_dict()


def their_request(kind, sent, sdk):
    """The signed request that their client makes of the same business text at the same second."""
    name = f"{CALLS[kind][0]}Request"
    request = getattr(importlib.import_module(f"alipay.aop.api.request.{name}"), name)()
    request.add_other_text_param("biz_content", sent["biz_content"])
    if "notify_url" in sent:
        request.notify_url = sent["notify_url"]
    clock = SimpleNamespace(now=lambda: SimpleNamespace(strftime=lambda _: sent["timestamp"]))
    client_module.datetime = SimpleNamespace(datetime=clock)
    return dict(parse_qsl(sdk.sdk_execute(request)))


def requests(ours, tally, draw, keys):
    chosen = settings(draw, keys)
    ours("open", channel="alipay", kind="alipay", settings={k: v for k, v in chosen.items() if v})
    sdk = client(keys, chosen["app_id"], keys["theirs"]["public"])
    public = bare(keys["ours"]["public"])
    for kind, (_, method) in CALLS.items():
        sent = parameters(ours("encode", channel="alipay", request=draw.request(kind), wall=draw.begun(), entropy=draw.entropy()))
        tally.same(f"alipay method of {kind}", sent["method"], method)
        fields = json.loads(sent["biz_content"])
        tally.same(f"alipay {kind}: the fields that their model knows", fields, through_their_model(kind, json.loads(sent["biz_content"])))
        tally.same(f"alipay {kind}: their client's request of the same text", sent, their_request(kind, sent, sdk))
        sign = sent.pop("sign")
        text = get_sign_content(sent)
        tally.holds(f"alipay {kind}: their verifier", verified(public, text.encode(), sign))
        tally.is_refused(f"alipay {kind}: theirs, one bit of the request", not verified(public, draw.changed(text.encode()), sign))


def verified(public, message, sign):
    try:
        return verify_with_rsa(public, message, sign)
    except Exception:
        return False


def answer(draw, wanted):
    """A node as the gateway writes it: escapes, slashes, braces in texts, blanks."""
    whole, rest = divmod(wanted["amount"], 100)
    members = {
        "code": "10000",
        "msg": "Success",
        "buyer_logon_id": draw.letters(3) + "***",
        "out_trade_no": wanted["attempt"],
        "store_name": draw.words() + draw.choice(["", '}"', '{"sign":"x"}', "\n"]),
        "total_amount": f"{whole}.{rest:02}",
        "trade_no": draw.digits(28),
        "trade_status": "TRADE_SUCCESS",
    }
    text = json.dumps(members, ensure_ascii=draw.choice([True, False]), separators=draw.choice([(",", ":"), (", ", ": ")]))
    return members, text.replace("/", draw.choice(["/", "\\/"]))


def answers(ours, tally, draw, keys):
    wanted = draw.request("query")
    members, node = answer(draw, wanted)
    paid = {"paid": wanted["amount"], "trade_no": members["trade_no"]}
    sign = sign_with_rsa2(bare(keys["theirs"]["pkcs1"]), node, "utf-8")
    body = lambda node, sign: f'{{"alipay_trade_query_response":{node},"sign":"{sign}"}}'.encode()
    read = lambda body: ours("decode", channel="alipay", request=wanted, wall=wanted["begun"], body=b64(body))
    tally.same("alipay answer signed by theirs", read(body(node, sign)), paid)
    tally.same("alipay answer: their parser", json.loads(parsed(keys, body(node, sign)) or "{}"), members)
    less = node.replace(members["total_amount"], "1" + members["total_amount"])
    stranger = sign_with_rsa2(bare(keys["nobody"]["pkcs1"]), node, "utf-8")
    our_own = sign_with_rsa2(bare(keys["ours"]["pkcs1"]), node, "utf-8")
    for what, wrong in [("another amount", body(less, sign)), ("a stranger's key", body(node, stranger)), ("our own key", body(node, our_own))]:
        tally.is_refused(f"alipay answer, ours, {what}", read(wrong).get("doubt") == "BadSignature")
        tally.is_refused(f"alipay answer, theirs, {what}", parsed(keys, wrong) is None)
    unsigned = f'{{"alipay_trade_query_response":{node}}}'.encode()
    tally.is_refused("alipay answer, ours, no signature", "doubt" in read(unsigned))


def parsed(keys, body):
    try:
        client_module.THREAD_LOCAL.uuid = "0"
        return client(keys, "0", keys["theirs"]["public"])._DefaultAlipayClient__parse_response(body)
    except Exception:
        return None


def notices(ours, tally, draw, keys):
    number, trade_no, fen = draw.number("P"), draw.digits(28), draw.randint(1, 10_000_000)
    form = {
        "notify_type": "trade_status_sync",
        "charset": "utf-8",
        "notify_id": draw.digits(32),
        "app_id": draw.digits(16),
        "out_trade_no": number,
        "trade_no": trade_no,
        "trade_status": "TRADE_SUCCESS",
        "total_amount": f"{fen // 100}.{fen % 100:02}",
        "subject": draw.words(),
        "fund_bill_list": '[{"amount":"0.01","fundChannel":"PCREDIT"}]',
        "gmt_payment": "2025-06-01 12:00:00",
    }
    private = bare(keys["theirs"]["pkcs1"])
    sign = sign_with_rsa2(private, get_sign_content(form), "utf-8")
    posted = lambda form, sign: b64("&".join(f"{k}={quote_plus(v)}" for k, v in {**form, "sign": sign, "sign_type": "RSA2"}.items()))
    told = ours("notice", channel="alipay", body=posted(form, sign))
    paid = f'Paid {{ out_trade_no: "{number}", trade_no: "{trade_no}", amount: {fen} fen }}'
    tally.same("alipay notice signed by theirs", told, paid)
    other = {**form, "total_amount": "1" + form["total_amount"]}
    tally.is_refused("alipay notice, ours, another amount", ours.refuses("notice", channel="alipay", body=posted(other, sign)))
    with_kind = sign_with_rsa2(private, get_sign_content({**form, "sign_type": "RSA2"}), "utf-8")
    tally.is_refused("alipay trade notice, ours, sign_type in the text", ours.refuses("notice", channel="alipay", body=posted(form, with_kind)))
    stranger = sign_with_rsa2(bare(keys["nobody"]["pkcs1"]), get_sign_content(form), "utf-8")
    tally.is_refused("alipay notice, ours, a stranger's key", ours.refuses("notice", channel="alipay", body=posted(form, stranger)))


def check(ours, tally, draw, keys):
    requests(ours, tally, draw, keys)
    answers(ours, tally, draw, keys)
    notices(ours, tally, draw, keys)
