"""What is shown of a thing's life: vouchers, receipts, its papers and wipes; under the keys of who may have turned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from tests.fuzz.target import Target, attempt, ensure, refuses
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, SoftwareKey, generate, private_key
from thingstead.domain import anchor
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.ledger import head as ledger_head
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.lake_authz import message as authz
from thingstead.protocols.lake_authz import voucher as authz_voucher
from thingstead.protocols.profile import birth, custody, maker_server, papers, succession, wipe
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.custody import Owner
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.protocols.profile.papers import Papers
from thingstead.protocols.receipts import receipt
from thingstead.protocols.receipts.merkle import leaf_hash, root_of_inclusion
from thingstead.protocols.receipts.receipt import RFC9162_SHA256, InclusionProof
from thingstead.protocols.voucher import voucher
from thingstead.secret import Secret

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_LATER = _AT + timedelta(days=30)
_ESP256 = AlgorithmId.ESP256
_ACCEPT = frozenset({int(_ESP256)})
_MAKER, _HOME, _MARKET, _THING = (private_key(KeyType.P256, Secret(bytes(31) + bytes((n,)))) for n in range(7, 11))
_STRANGER = generate(KeyType.P256)
_VOUCHER = voucher.issue(_HOME.public, _MAKER, serial="L-1", at=_AT, expires=_LATER)
_SOLD = custody.extend(
    custody.head(_VOUCHER, ()), serial="L-1", owner=Owner("home", _HOME.public), to=Owner("market", _MARKET.public),
    at=_AT, key=_HOME,
)  # fmt: skip
_SOLD_ON = custody.extend(
    custody.head(_VOUCHER, (_SOLD,)), serial="L-1", owner=Owner("market", _MARKET.public),
    to=Owner("other", _STRANGER.public), at=_AT, key=_MARKET,
)  # fmt: skip
_FIRST = custody.extend(
    custody.head(b"", ()), serial="L-1", owner=Owner("maker", _MARKET.public), to=Owner("home", _HOME.public),
    at=_AT, key=_MARKET,
)  # fmt: skip
_LINK_CONTEXT = b"thingstead custody link 1"
_WIPE_CONTEXT = b"thingstead wipe receipt 1"
_NONCE = bytes(16)
_WIPED = wipe.sign("thing-1", "home", ("association",), at=_AT, nonce=_NONCE, key=_THING)
_LEAVES = [leaf_hash(bytes((number,))) for number in range(3)]
_PROOF = InclusionProof(3, 1, (_LEAVES[0], _LEAVES[2]))
_ROOT = root_of_inclusion(_LEAVES[1], index=1, size=3, path=_PROOF.path)
_SUITE = cipher_suite(2)
_EK_CT, _KEY = authz_voucher.begin(_SUITE, _MAKER.public, lambda _curve: _THING)
_ABOUT = authz_voucher.Binding(bytes(32), b"\xa1\x04\x41\x01", b"\xa0")


def _voucher(data: bytes) -> None:
    """Whatever the maker signs holds for this thing, this domain and this time alone; unsigned it holds for nobody."""
    signed = sign1.sign(data, _MAKER, signature_id=_ESP256)
    verify = partial(voucher.authenticate, serial="L-1", domain_key=_HOME.public, at=_AT)
    found = attempt(lambda: verify(signed, _MAKER.public))
    if found is not None:
        ensure(found.serial == "L-1" and found.domain_key == _HOME.public, "a voucher for another was taken")
        ensure(found.expires_on is None or found.expires_on > _AT, "a voucher that has ended was taken")
    other = attempt(
        lambda: voucher.authenticate(signed, _MAKER.public, serial="L-1", domain_key=_MARKET.public, at=_AT)
    )
    ensure(found is None or other is None, "a voucher for two domains was taken")
    refuses(lambda: verify(sign1.sign(data, _STRANGER, signature_id=_ESP256), _MAKER.public), "a voucher of nobody")


def _authz(data: bytes) -> None:
    """Messages of lightweight authorization are refused or written again; a sealed voucher is the server's only."""
    info = attempt(lambda: authz.decode_voucher_info(data))
    ensure(info is None or authz.decode_voucher_info(info.item().value or b"") == info, "Voucher_Info changed")
    asked = attempt(lambda: authz.decode_request(data))
    if asked is not None:
        ensure(authz.decode_request(asked.encode()) == asked, "a request for a voucher changed")
        attempt(lambda: authz_voucher.answer_key(asked.suite, asked.ek_ct, _MAKER))
    attempt(lambda: authz.decode_refusal(data))
    shown = attempt(lambda: authz.decode_response(data))
    for sealed in (data, shown or b""):
        refuses(partial(authz_voucher.authenticate, sealed, _KEY, _ABOUT), "a voucher of nobody was taken")


def _receipt(data: bytes) -> None:
    """With a signed root at hand nobody makes a proof of an entry that is not in the tree, nor any without it."""
    signed = sign1.sign(
        _ROOT, _HOME, signature_id=_ESP256, protected={Label.VDS: RFC9162_SHA256},
        unprotected={Label.VDP: {-1: [data]}}, detached=True,
    )  # fmt: skip
    refuses(
        lambda: receipt.authenticate(signed, b"\x07", public=_HOME.public, accept=_ACCEPT), "an entry of no tree is in"
    )
    proven = attempt(lambda: receipt.authenticate(signed, b"\x01", public=_HOME.public, accept=_ACCEPT))
    ensure(proven is None or proven.root == _ROOT, "an entry of another tree is in")
    refuses(lambda: receipt.authenticate(data, b"\x07", public=_HOME.public, accept=_ACCEPT), "a receipt of nobody")
    attempt(lambda: ledger_head.authenticate(data, _HOME.public, domain="home"))


def _custody(data: bytes) -> None:
    """Only whose the thing is hands it on: the owner says to whom, a stranger nothing."""

    def follow(key: SoftwareKey) -> custody.Custody:
        link = sign1.sign(data, key, signature_id=_ESP256, external_aad=_LINK_CONTEXT)
        return custody.authenticate(_VOUCHER, (_SOLD, link), anchor=_MAKER.public, serial="L-1", supported_until=_AT)

    found = attempt(lambda: follow(_MARKET))
    if found is not None:
        ensure([owner.key for owner in found.owners[:2]] == [_HOME.public, _MARKET.public], "an owner was passed over")
        ensure(len(found.owners) == 3 and found.serial == "L-1", "a link of another thing was taken")
    for thief in (_STRANGER, _HOME):
        refuses(partial(follow, thief), "somebody whose the thing was not handed it on")

    def begin(key: SoftwareKey) -> custody.Custody:
        link = sign1.sign(data, key, signature_id=_ESP256, external_aad=_LINK_CONTEXT)
        return custody.authenticate(
            b"", (link,), anchor=_MAKER.public, serial="L-1", supported_until=_AT, server=_MARKET.public
        )

    first = attempt(lambda: begin(_MARKET))
    ensure(first is None or len(first.owners) == 2, "a chain without a beginning was taken")
    for thief in (_STRANGER, _HOME, _MAKER):
        refuses(partial(begin, thief), "somebody who is not the maker's server named the first owner")


def _succession(data: bytes) -> None:
    """Whatever the old keys sign leads to an overlap, out of one, or nowhere; whatever others sign leads nowhere."""
    for state in (_STEADY, _OVERLAP):
        found = attempt(partial(_step, state, data, (_MAKER, _HOME)))
        if found is not None:
            ensure(found.number == state.number + 1, "a step was passed over")
            ensure(
                (found.incoming is None) == (state.incoming is not None), "an overlap began within one, or ended none"
            )
            known = {*_OVERLAP.effective.keys, *found.effective.keys}
            ensure(found.incoming is not None or set(found.current.keys) <= known, "keys came from nowhere")
        for thieves in ((_STRANGER,), (_HOME, _STRANGER)):
            refuses(partial(_step, state, data, thieves), "somebody who signs no releases said who does")
    refuses(lambda: succession.follow(_STEADY, data), "a step that nobody signed was walked")


def _step(state: succession.UpdateKeys, payload: bytes, signers: tuple[SoftwareKey, ...]) -> succession.UpdateKeys:
    blocks = [
        sign1.sign(payload, key, signature_id=_ESP256, external_aad=b"thingstead update keys 1", detached=True)
        for key in signers
    ]
    return succession.follow(state, codec.encode([payload, blocks]))


def _papers(data: bytes) -> None:
    """Papers, birth records, anchors and links from a file are refused or written again as they were read."""
    shown = attempt(lambda: papers.decode(data))
    ensure(shown is None or papers.decode(papers.encode(shown)) == shown, "papers changed")
    links = attempt(lambda: custody.decode_links(data))
    ensure(links is None or custody.decode_links(custody.encode_links(links)) == links, "links changed")
    born = attempt(lambda: birth.decode(data))
    ensure(born is None or birth.decode(birth.encode(born)) == born, "a birth record changed")
    trusted = attempt(lambda: anchor.decode(data))
    ensure(trusted is None or anchor.decode(anchor.encode(trusted)) == trusted, "an anchor changed")
    card = attempt(lambda: maker_server.decode(data))
    ensure(card is None or maker_server.decode(maker_server.encode(card)) == card, "a card changed")


def _wipe(data: bytes) -> None:
    """Whatever the thing signs is a receipt of this wipe or none; a request is read or refused."""
    asked = attempt(lambda: wipe.decode_request(data))
    ensure(
        asked is None or wipe.decode_request(wipe.encode_request(asked.nonce, asked.link)) == asked, "a request changed"
    )
    signed = sign1.sign(data, _THING, signature_id=_ESP256, external_aad=_WIPE_CONTEXT)
    found = attempt(partial(wipe.authenticate, signed, _THING.public, thing="thing-1", domain="home", nonce=_NONCE))
    if found is not None:
        said = codec.decode(data)
        ensure((said[1], said[2], said[5]) == ("thing-1", "home", _NONCE), "a receipt of another wipe was taken")


def _payload(data: bytes) -> bytes:
    return sign1.decode(data).payload or b""


_PAPERS = papers.encode(Papers(b"identity", _VOUCHER, (_SOLD,)))
_BIRTH = birth.encode(Birth("L-1", b"identity", _VOUCHER, _MAKER.public, (_MAKER.public,), bytes(16), bytes(16)))
_ANCHOR = anchor.encode(TrustAnchor("acme", _MAKER.public, (_MAKER.public,), bytes(16), (b"certificate",)))
_CARD = MakerServer("acme", "coap://w.example", _MAKER.public, _MAKER.public)
_ASKS = birth.encode(replace(birth.decode(_BIRTH), voucher=b"", server=_CARD))
_SERVED = anchor.encode(replace(anchor.decode(_ANCHOR), server=_CARD))
_STEADY, _NEXT = succession.begin(KeySet((_MAKER.public,))), KeySet((_HOME.public,))
_INTRODUCED = succession.introduce(_STEADY, _NEXT, [_MAKER, _HOME], at=_AT)
_OVERLAP = succession.follow(_STEADY, _INTRODUCED)
_RETIRED = succession.retire(_OVERLAP, [_MAKER, _HOME], at=_AT)
_RETURNED = succession.take_back(_OVERLAP, [_MAKER], at=_AT)
_MOVED = anchor.encode(anchor.follow(anchor.decode(_ANCHOR), [_INTRODUCED, _RETIRED]))
_SEALED = authz_voucher.issue(_KEY, _ABOUT, opaque=b"floor 3")

TARGETS = (
    Target("voucher", _voucher, (_payload(_VOUCHER),)),
    Target(
        "voucher by authorization",
        _authz,
        (
            authz.VoucherInfo("coap://w.example", _EK_CT).item().value or b"",
            authz.VoucherRequest(_SUITE, _EK_CT, bytes(32), b"\xa1\x04\x41\x01", True).encode(),
            codec.encode([_SEALED[:-1] + b"\0"]),
            authz.encode_refusal(b"*"),
        ),
    ),
    Target("receipt", _receipt, (codec.encode([3, 1, list(_PROOF.path)]), codec.encode([1, 0, []]))),
    Target("succession", _succession, tuple([codec.decode(one)[0] for one in (_INTRODUCED, _RETIRED, _RETURNED)])),
    Target("custody", _custody, (_payload(_SOLD_ON), _payload(_FIRST))),
    Target(
        "papers",
        _papers,
        (_PAPERS, _BIRTH, _ASKS, _ANCHOR, _SERVED, _MOVED, maker_server.encode(_CARD), custody.encode_links((_SOLD,))),
    ),
    Target("wipe", _wipe, (_payload(_WIPED), wipe.encode_request(_NONCE), wipe.encode_request(_NONCE, _SOLD))),
)
