"""Throw-away keys and certificates, made from the seed: two RSA pairs, a third that nobody knows, and what they sign."""

import datetime

from Crypto.PublicKey import RSA
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BEGINS = datetime.datetime(2020, 1, 1)
ENDS = datetime.datetime(2049, 1, 1)


def pair(draw, bits=2048):
    key = RSA.generate(bits, randfunc=draw.randbytes)
    return {
        "pkcs1": key.export_key(pkcs=1).decode(),
        "pkcs8": key.export_key(pkcs=8).decode(),
        "public": key.publickey().export_key().decode(),
    }


def make(draw):
    keys = {name: pair(draw) for name in ("ours", "theirs", "later", "nobody")}
    keys["small"] = pair(draw, 1024)
    keys["certificates"] = certificates(draw, keys)
    return keys


def name(draw, common):
    organisation = draw.choice(["Ant Financial", "iTrusChina", "Tenpay.com", "通联支付"])
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Test CA " + draw.letters(6)),
            x509.NameAttribute(NameOID.COMMON_NAME, common + " " + draw.letters(6)),
        ]
    )


def certificate(draw, subject, key, issuer, issuer_key, authority=False):
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(draw.getrandbits(draw.choice([8, 64, 127, 159])) | 1)
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return made.sign(issuer_key, hashes.SHA256())


def pem(*found):
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in found)


def certificates(draw, keys):
    load = lambda which: serialization.load_pem_private_key(keys[which]["pkcs8"].encode(), None)
    ours, theirs, later, root_key = load("ours"), load("theirs"), load("later"), load("nobody")
    root, other, curve = name(draw, "Root"), name(draw, "Root"), name(draw, "Root")
    curve_key = ec.derive_private_key(draw.getrandbits(200) | 1, ec.SECP256R1())
    roots = [
        certificate(draw, root, root_key, root, root_key, True),
        certificate(draw, curve, curve_key, curve, curve_key, True),
        certificate(draw, other, root_key, other, root_key, True),
    ]
    leaf = lambda key: certificate(draw, name(draw, "Leaf"), key, root, root_key)
    strange = name(draw, "Root")
    return {
        "app": pem(leaf(ours)),
        "alipay": pem(leaf(theirs)),
        "later": pem(leaf(later)),
        "stranger": pem(certificate(draw, name(draw, "Leaf"), later, strange, theirs)),
        "root": pem(*roots),
    }
