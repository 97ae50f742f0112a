"""Files that come by hand, a maker's trust anchor and a thing's birth record, and the words of a parting."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.properties.decoder import Decoder
from thingstead.crypto.key import KeyType, private_key
from thingstead.domain import anchor
from thingstead.domain.anchor import TrustAnchor
from thingstead.protocols.profile import (
    approval,
    birth,
    custody,
    delegation,
    firmware,
    key_set,
    maker_server,
    papers,
    signed_request,
    succession,
    update_poll,
    wipe,
)
from thingstead.protocols.profile.approval import Statement
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.custody import Owner
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.profile.maintenance import Done, Offer, Page, Task
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.protocols.profile.papers import Papers
from thingstead.protocols.profile.permit import Carried, PermitFile
from thingstead.protocols.voucher import voucher
from thingstead.secret import Secret

_PRIVATE = private_key(KeyType.P256, Secret(bytes(31) + b"\x07"))
_KEY = _PRIVATE.public
_BIRTH = Birth("AL-1", b"identity", b"voucher", _KEY, (_KEY,), bytes(16), bytes(16))
_ANCHOR = TrustAnchor("aurora", _KEY, (_KEY,), bytes(16), (b"certificate",))
_SERVER = MakerServer("aurora", "coap://192.0.2.1", _KEY, _KEY)
_SERVED, _ASKS = replace(_ANCHOR, server=_SERVER), replace(_BIRTH, server=_SERVER)
_NONCE = bytes(16)
_RECEIPT = wipe.sign(
    "thing-1", "home", ("association",), at=datetime(2026, 11, 23, tzinfo=UTC), nonce=_NONCE, key=_PRIVATE
)
_AT = datetime(2026, 11, 23, tzinfo=UTC)
_DELEGATION = delegation.issue(
    _KEY,
    _PRIVATE,
    domain="home",
    installer="ben",
    zones=("floor-1",),
    classes=(2,),
    at=_AT,
    expires=datetime(2026, 11, 24, tzinfo=UTC),
    cti=bytes(8),
)
_REQUEST = signed_request.sign("thing.admit", {"thing": "thing-1"}, _PRIVATE, domain="home", challenge=bytes(16))
_VOUCHER = voucher.issue(_KEY, _PRIVATE, serial="AL-1", at=_AT, expires=_AT + timedelta(days=30))
_HOME = Owner("home", _KEY)
_LINK = custody.extend(custody.head(_VOUCHER, ()), serial="AL-1", owner=_HOME, to=_HOME, at=_AT, key=_PRIVATE)
_PAPERS = Papers(b"identity", _VOUCHER, (_LINK,))
_STATEMENT = approval.sign(
    Statement(b"delegation", "acme", "A0001", "0" * 16, "floor-1", _AT, bytes(16)), _PRIVATE, domain="home"
)
_JOURNAL = Page(b"journal1", (Done(0, _AT, Task.BEGIN, _REQUEST), Done(1, _AT, Task.END)))
_OTHER = private_key(KeyType.P256, Secret(bytes(31) + b"\x08"))
_BEGIN = succession.begin(KeySet((_KEY,)))
_STEP = succession.introduce(_BEGIN, KeySet((_OTHER.public,)), [_PRIVATE, _OTHER], at=_AT)
_SIGNED_BY = replace(_ANCHOR, release_keys=(_KEY, _OTHER.public), signing=key_set.threshold((_KEY,), 1).signing)
_MOVED = anchor.follow(_ANCHOR, [_STEP])
_CAPABLE = replace(_BIRTH, verifies=frozenset({-9, -48}), release_step=2)
_PERMITS = PermitFile("home", "ben", (Carried("thing-1", b"token", _KEY),))

DECODERS = (
    Decoder(
        "domain.anchor.decode",
        anchor.decode,
        tuple([anchor.encode(one).hex() for one in (_ANCHOR, _SERVED, _SIGNED_BY, _MOVED)]),
    ),
    Decoder(
        "profile.birth.decode",
        birth.decode,
        tuple([birth.encode(one).hex() for one in (_BIRTH, _ASKS, _CAPABLE)]),
    ),
    Decoder(
        "profile.succession.follow",
        lambda data: succession.follow(_BEGIN, data),
        (_STEP.hex(),),
    ),
    Decoder(
        "profile.update_poll.read",
        lambda data: update_poll.read([data.decode(errors="surrogateescape")]),
        (b"k=0123456789abcdef".hex(), b"v=-9.-48".hex()),
    ),
    Decoder(
        "profile.succession.decode_state",
        succession.decode_state,
        (succession.encode_state(_BEGIN).hex(),),
    ),
    Decoder("profile.maker_server.decode", maker_server.decode, (maker_server.encode(_SERVER).hex(),)),
    Decoder("profile.firmware.decode", firmware.decode, (firmware.encode(Firmware("1.1.0", 0.5), b"body").hex(),)),
    Decoder(
        "profile.delegation.authenticate",
        lambda data: delegation.authenticate(data, _KEY, domain="home", at=_AT),
        (_DELEGATION.hex(),),
    ),
    Decoder("profile.signed_request.decode_signer", signed_request.decode_signer, (_REQUEST.hex(),)),
    Decoder(
        "profile.signed_request.authenticate",
        lambda data: signed_request.authenticate(data, _KEY, domain="home"),
        (_REQUEST.hex(),),
    ),
    Decoder(
        "profile.approval.authenticate",
        lambda data: approval.authenticate(data, _KEY, domain="home", at=_AT),
        (_STATEMENT.hex(),),
    ),
    Decoder("profile.maintenance.Page.decode", Page.decode, (_JOURNAL.encode().hex(),)),
    Decoder("profile.maintenance.Offer.decode", Offer.decode, (bytes(16).hex(),)),
    Decoder("profile.permit.PermitFile.decode", PermitFile.decode, (_PERMITS.encode().hex(),)),
    Decoder("profile.papers.decode", papers.decode, (papers.encode(_PAPERS).hex(),)),
    Decoder("profile.custody.decode_links", custody.decode_links, (custody.encode_links(_PAPERS.links).hex(),)),
    Decoder(
        "profile.custody.authenticate",
        lambda data: custody.authenticate(_PAPERS.voucher, (data,), anchor=_KEY, serial="AL-1", supported_until=_AT),
        (_LINK.hex(),),
    ),
    Decoder("profile.wipe.decode_request", wipe.decode_request, (wipe.encode_request(_NONCE).hex(),)),
    Decoder(
        "profile.wipe.authenticate",
        lambda data: wipe.authenticate(data, _KEY, thing="thing-1", domain="home", nonce=_NONCE),
        (_RECEIPT.hex(),),
    ),
)
