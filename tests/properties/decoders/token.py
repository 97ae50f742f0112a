"""COSE and what is signed with it: tokens, credentials, vouchers, receipts, heads of the ledger."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.properties.decoder import Decoder
from thingstead.crypto.aead import aead
from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm
from thingstead.crypto.key import KeyType, private_key
from thingstead.crypto.key_wrap import wrap_key
from thingstead.crypto.mac import mac_tag
from thingstead.domain.ledger import head
from thingstead.identifier import thing_id_from_random
from thingstead.protocols.ace import aif
from thingstead.protocols.ace import token as ace
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import encrypt0, mac0, sign, sign1
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose.recipient import Receiver, content_key
from thingstead.protocols.cwt import ccs, claims, credential, token
from thingstead.protocols.receipts import receipt
from thingstead.protocols.receipts.merkle import leaf_hash
from thingstead.protocols.voucher import voucher
from thingstead.secret import Secret

_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
_LATER = _AT + timedelta(days=1)
_EDDSA = AlgorithmId.ED25519
_ACCEPT = frozenset({int(_EDDSA)})
# Ed25519 signs the same bytes the same way each time, so the seeds are the same in every run.
_SIGNER = private_key(KeyType.ED25519, Secret(bytes(range(32))))
_HOLDER = private_key(KeyType.P256, Secret(bytes(range(1, 33)))).public
_SCOPE = aif.Scope({"/s/temp": 1, "/fw": 3})
_THING = thing_id_from_random(bytes(10))

_SIGN1 = sign1.sign(b"payload", _SIGNER, signature_id=_EDDSA, kid=b"k", external_aad=b"")
_TOKEN = ace.issue(
    _HOLDER,
    _SIGNER,
    issuer="as",
    subject=_THING,
    audience="rs",
    scope=_SCOPE,
    at=_AT,
    expires=_LATER,
    cti=b"1",
    signature_id=_EDDSA,
)
_FURTHER = ace.issue(
    b"kid",
    _SIGNER,
    issuer="as",
    subject=_THING,
    audience="rs",
    scope=aif.Scope({"/s/level": 4}, {"/s/level": aif.Bounds(0, 60, 6)}),
    at=_AT,
    expires=_LATER,
    cti=b"2",
    signature_id=_EDDSA,
    exi=60,
    cnonce=b"nonce",
    series=b"series",
)
_MAKER = credential.issue_maker_identity(
    _HOLDER,
    _SIGNER,
    maker="acme",
    serial="L-1",
    model="lamp",
    constrained_class=2,
    mud_url="https://acme.example/lamp.json",
    support_end=date(2031, 1, 1),
    at=_AT,
    signature_id=_EDDSA,
)
_DOMAIN = credential.issue_domain_credential(
    _HOLDER, _SIGNER, domain="home", thing=_THING, at=_AT, expires=_LATER, cti=b"2", signature_id=_EDDSA
)
_VOUCHER = voucher.issue(_HOLDER, _SIGNER, serial="L-1", at=_AT, expires=_LATER, signature_id=_EDDSA)
_RECEIPT = receipt.issue(leaf_hash(b"entry"), receipt.InclusionProof(1, 0, ()), _SIGNER, signature_id=_EDDSA)
# Heads take ECDSA: of this seed alone the signature is another one each time.
_LEDGER = private_key(KeyType.P256, Secret(bytes(range(2, 34))))
_HEAD = head.sign(head.TreeHead(1, leaf_hash(b"entry"), _AT, "home"), _LEDGER)
_KEY = Secret(bytes(range(32)))
_HMAC = AlgorithmId.HMAC_256_256
_MAC0 = mac0.protect(b"payload", _KEY, mac_id=_HMAC, kid=b"k")
_SIGN = sign.sign(b"payload", [sign.Signer(_SIGNER, _EDDSA, b"k")])
_A256GCM = AlgorithmId.A256GCM
_ENCRYPT0 = encrypt0.protect(b"payload", _KEY, aead_id=_A256GCM, nonce=bytes(12), kid=b"k")
_RECIPIENTS = [[b"", {1: -6, 4: b"k"}, b""]]
_KEK, _X25519 = Secret(bytes(32)), private_key(KeyType.X25519, Secret(bytes(range(32))))
_BY_WRAP = Receiver(_KEK, frozenset({int(AlgorithmId.A256KW)}))
_BY_AGREEMENT = Receiver(_X25519, frozenset({int(AlgorithmId.ECDH_ES_HKDF_256)}))
_PROTECTED = codec.encode({1: int(_A256GCM)})
_WRAPPED = codec.encode(
    [
        _PROTECTED,
        {5: bytes(12)},
        aead(_A256GCM, _KEY).encrypt(bytes(12), b"payload", codec.encode(["Encrypt", _PROTECTED, b""])),
        [[b"", {1: -5, 4: b"k"}, wrap_key(_KEY, _KEK, AlgorithmId.A256KW)]],
    ]
)
_MAC_PROTECTED = codec.encode({1: int(_HMAC)})
_MAC_RECIPIENTS: list[Any] = [
    [codec.encode({1: -25}), {-1: cose_key.public_map(_X25519.public), -20: b"s", -21: b"U", -22: 1}, b""]
]


def _agreed(tag: bytes) -> bytes:
    return codec.encode([_MAC_PROTECTED, {}, b"payload", tag, _MAC_RECIPIENTS])


_AGREED_KEY = content_key(
    mac0.decode_mac(_agreed(bytes(32))).recipients, _BY_AGREEMENT, content=algorithm(_HMAC, Kind.MAC)
)
_AGREED = _agreed(mac_tag(_AGREED_KEY, codec.encode(["MAC", _MAC_PROTECTED, b"", b"payload"]), _HMAC))
_COSE_AREAS = ("cose", "cose-pq")

DECODERS = (
    Decoder("cose.sign1.decode", sign1.decode, (_SIGN1.hex(),), _COSE_AREAS),
    Decoder(
        "cose.sign1.authenticate",
        lambda data: sign1.authenticate(data, _SIGNER.public, accept=_ACCEPT),
        (_SIGN1.hex(),),
        _COSE_AREAS,
    ),
    Decoder("cose.sign.decode", sign.decode, (_SIGN.hex(),), ("cose",)),
    Decoder(
        "cose.sign.authenticate",
        lambda data: sign.authenticate(data, _SIGNER.public, accept=_ACCEPT),
        (_SIGN.hex(),),
        ("cose",),
    ),
    Decoder("cose.mac0.decode", mac0.decode, (_MAC0.hex(),), ("cose",)),
    Decoder(
        "cose.mac0.authenticate",
        lambda data: mac0.authenticate(data, _KEY, accept=frozenset({int(_HMAC)})),
        (_MAC0.hex(),),
        ("cose",),
    ),
    Decoder(
        "cose.mac0.decode_mac",
        mac0.decode_mac,
        (codec.encode([b"", {}, b"payload", bytes(32), _RECIPIENTS]).hex(),),
        ("cose",),
    ),
    Decoder("cose.encrypt0.decode", encrypt0.decode, (_ENCRYPT0.hex(),), ("cose",)),
    Decoder(
        "cose.encrypt0.unprotect",
        lambda data: encrypt0.unprotect(data, _KEY, accept=frozenset({int(_A256GCM)}), context_iv=bytes(12)),
        (_ENCRYPT0.hex(),),
        ("cose",),
    ),
    Decoder(
        "cose.encrypt0.decode_encrypt",
        encrypt0.decode_encrypt,
        (codec.encode([b"", {}, bytes(24), _RECIPIENTS]).hex(),),
        ("cose",),
    ),
    Decoder(
        "cose.encrypt0.unprotect, wrapped key",
        lambda data: encrypt0.unprotect(encrypt0.decode_encrypt(data), _BY_WRAP, accept=frozenset({int(_A256GCM)})),
        (_WRAPPED.hex(),),
        ("cose",),
    ),
    Decoder(
        "cose.mac0.authenticate, agreed key",
        lambda data: mac0.authenticate(mac0.decode_mac(data), _BY_AGREEMENT, accept=frozenset({int(_HMAC)})),
        (_AGREED.hex(),),
        ("cose",),
    ),
    Decoder("cose.key.decode", cose_key.decode, (codec.encode(cose_key.public_map(_HOLDER)).hex(),), _COSE_AREAS),
    Decoder("cwt.claims.decode", claims.decode, (claims.encode({1: "as", 4: _AT}).hex(),)),
    Decoder("cwt.token.decode", token.decode, (_TOKEN.hex(),), _COSE_AREAS),
    Decoder(
        "cwt.token.authenticate",
        lambda data: token.authenticate(data, _SIGNER.public, accept=_ACCEPT, at=_AT, issuer="as", audience="rs"),
        (_TOKEN.hex(),),
    ),
    Decoder("cwt.ccs.decode", ccs.decode, (_TOKEN.hex(), _MAKER.hex())),
    Decoder("ace.aif.decode", aif.decode, (aif.encode(_SCOPE).hex(),)),
    Decoder(
        "ace.token.authenticate",
        lambda data: ace.authenticate(
            data, _SIGNER.public, accept=_ACCEPT, at=_AT, issuer="as", audience="rs", presenter=_HOLDER
        ),
        (_TOKEN.hex(),),
    ),
    Decoder(
        "ace.token.authenticate_shown",
        lambda data: ace.authenticate_shown(data, _SIGNER.public, accept=_ACCEPT, at=None, issuer="as", audience="rs"),
        (_TOKEN.hex(), _FURTHER.hex()),
    ),
    Decoder(
        "cwt.credential.authenticate_maker_identity",
        lambda data: credential.authenticate_maker_identity(data, _SIGNER.public, accept=_ACCEPT, maker="acme", at=_AT),
        (_MAKER.hex(),),
    ),
    Decoder(
        "cwt.credential.authenticate_domain_credential",
        lambda data: credential.authenticate_domain_credential(
            data, _SIGNER.public, accept=_ACCEPT, domain="home", at=_AT
        ),
        (_DOMAIN.hex(),),
    ),
    Decoder(
        "voucher.voucher.authenticate",
        lambda data: voucher.authenticate(
            data, _SIGNER.public, serial="L-1", domain_key=_HOLDER, at=_AT, accept=_ACCEPT
        ),
        (_VOUCHER.hex(),),
    ),
    Decoder("voucher.voucher.decode_leaves", voucher.decode_leaves, ((sign1.decode(_VOUCHER).payload or b"").hex(),)),
    Decoder("receipts.receipt.decode", receipt.decode, (_RECEIPT.hex(),), ("cose-receipts",)),
    Decoder(
        "receipts.receipt.authenticate",
        lambda data: receipt.authenticate(data, b"entry", public=_SIGNER.public, accept=_ACCEPT),
        (_RECEIPT.hex(),),
    ),
    Decoder(
        "domain.ledger.head.authenticate",
        lambda data: head.authenticate(data, _LEDGER.public, domain="home"),
        (_HEAD.hex(),),
    ),
)
