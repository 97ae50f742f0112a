"""Invariant: whatever a signer, even a trusted one, puts under a good signature, it is read or refused by one of our
errors; and what is not exactly right gives no verified type. Mutations do not come this far: they break the signature.
"""

import contextlib
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, ForbiddenError, ProtocolError, SecurityError, UnsupportedError
from thingstead.identifier import ThingId
from thingstead.protocols.ace import aif
from thingstead.protocols.ace import token as ace
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import header, recipient, sign1
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs, claims, confirmation, credential, token
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.voucher import voucher
from thingstead.protocols.voucher.voucher import Leaf

pytestmark = pytest.mark.slow

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SIGNER = generate(KeyType.ED25519)
HOLDER = generate(KeyType.P256).public
ACCEPT = frozenset({AlgorithmId.ED25519})
THING = ThingId("thing-abcdefghijklmnop")
REFUSALS = (ProtocolError, SecurityError)

# The machine may be busy; what a slow example would mean is not this file's question.
BOUNDED = settings(deadline=None, max_examples=100)

SCALARS = (
    st.integers(-(2**70), 2**70)
    | st.binary(max_size=40)
    | st.text(max_size=20)
    | st.booleans()
    | st.none()
    | st.floats()
    | st.just(codec.undefined)
)
KEYS = st.integers(-70000, 70000) | st.integers(-8, 16) | st.text(max_size=4) | st.binary(max_size=4) | st.booleans()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.builds(codec.Tag, st.integers(0, 70000), inner)
    ),
    max_leaves=8,
)


def signed(payload, **headers):
    return sign1.sign(payload, SIGNER, signature_id=AlgorithmId.ED25519, **headers)


def changed(valid, labels):
    """A valid map with some entries replaced, added or left out."""
    edits = st.dictionaries(st.sampled_from(sorted(labels)) | KEYS, VALUES, max_size=3)
    gone = st.sets(st.sampled_from(sorted(labels)), max_size=2)
    return st.builds(lambda e, g: {k: v for k, v in {**valid, **e}.items() if k not in g}, edits, gone)


ACCESS = {
    1: "as",
    2: THING,
    3: "rs",
    4: int(AT.timestamp()) + 60,
    6: int(AT.timestamp()),
    7: b"1",
    8: confirmation.for_public(HOLDER),
    9: aif.encode(Scope({"/s/temp": 1})),
}
MAKER = dict(
    token.decode(
        credential.issue_maker_identity(
            HOLDER,
            SIGNER,
            maker="acme",
            serial="L-1",
            model="lamp",
            constrained_class=2,
            mud_url="https://acme.example/lamp",
            support_end=date(2031, 1, 1),
            at=AT,
            signature_id=AlgorithmId.ED25519,
        )
    ).claims.values
)
LEAVES = {
    int(leaf): value
    for leaf, value in voucher.decode_leaves(
        sign1.decode(
            voucher.issue(
                HOLDER,
                SIGNER,
                serial="L-1",
                at=AT,
                expires=AT + timedelta(days=1),
                signature_id=AlgorithmId.ED25519,
            )
        ).payload
        or b""
    ).items()
}


@BOUNDED
@given(changed(ACCESS, ACCESS))
def test_a_signed_access_token_is_exactly_right_or_refused(values):
    data = token.CWT_HEAD + signed(codec.encode(values))
    try:
        held = ace.authenticate(data, SIGNER.public, accept=ACCEPT, at=AT, issuer="as", audience="rs", presenter=HOLDER)
    except REFUSALS:
        return
    assert (held.issuer, held.audience, held.public) == ("as", "rs", HOLDER)
    assert held.issued_at <= AT < held.expires


@BOUNDED
@given(changed(MAKER, MAKER))
def test_a_signed_maker_identity_is_exactly_right_or_refused(values):
    data = signed(codec.encode(values))
    try:
        found = credential.authenticate_maker_identity(data, SIGNER.public, accept=ACCEPT, maker="acme", at=AT)
    except REFUSALS:
        return
    assert found.constrained_class in range(3)
    assert found.mud_url.startswith("https://")
    assert found.serial.isprintable()
    assert found.model.isprintable()


@BOUNDED
@given(changed({**ACCESS, 3: None}, ACCESS))
def test_a_signed_domain_credential_is_exactly_right_or_refused(values):
    values.pop(Claim.AUD, None)
    with contextlib.suppress(*REFUSALS):
        found = credential.authenticate_domain_credential(
            signed(codec.encode(values)), SIGNER.public, accept=ACCEPT, domain="as", at=AT
        )
        assert found.thing == THING
        assert found.issued_at <= AT < found.expires


@BOUNDED
@given(changed(LEAVES, [int(leaf) for leaf in Leaf]))
def test_a_signed_voucher_is_exactly_right_or_refused(leaves):
    data = signed(codec.encode({voucher.SID: leaves}))
    try:
        held = voucher.authenticate(data, SIGNER.public, serial="L-1", domain_key=HOLDER, at=AT, accept=ACCEPT)
    except REFUSALS:
        return
    assert (held.serial, held.domain_key, held.nonce) == ("L-1", HOLDER, None)
    assert held.created_on <= AT


@BOUNDED
@given(VALUES | st.lists(st.tuples(st.text(max_size=6).map("/".__add__), st.integers(-1, 300)).map(list), max_size=4))
def test_a_scope_is_read_to_the_same_meaning_or_refused(value):
    try:
        scope = aif.decode(codec.encode(value))
    except (DecodeError, UnsupportedError):
        return
    assert aif.decode(aif.encode(scope)) == scope
    assert [[path, held] for path, held in scope.grants.items()] == sorted(value)


@BOUNDED
@given(
    st.dictionaries(st.sampled_from(["/a", "/b", "/c"]), st.integers(1, 127)),
    st.dictionaries(st.sampled_from(["/a", "/b", "/c"]), st.integers(1, 127)),
    st.sampled_from(["/a", "/b", "/c", "/d", "/a/"]),
    st.integers(0, 255),
)
def test_a_narrowed_scope_allows_what_both_allow_and_nothing_else(one, two, path, method):
    def allows(scope):
        try:
            scope.allows(path, method)
        except ForbiddenError:
            return False
        return True

    first, second = Scope(one), Scope(two)
    assert allows(first.narrow(second)) == (allows(first) and allows(second))


@BOUNDED
@given(st.dictionaries(KEYS, VALUES, max_size=4), VALUES)
def test_headers_are_read_or_refused(protected, unprotected):
    with contextlib.suppress(DecodeError, UnsupportedError):
        headers = header.decode(codec.encode(protected), unprotected)
        assert not headers.protected.keys() & headers.unprotected.keys()
        headers.algorithm(ACCEPT)


@BOUNDED
@given(changed(cose_key.public_map(HOLDER, kid=b"k"), [1, 2, 3, 4, -1, -2, -3, -4]) | VALUES)
def test_a_key_is_read_or_refused(value):
    data = codec.encode(value)
    with contextlib.suppress(DecodeError, UnsupportedError):
        key = cose_key.decode(data)
        assert (key.public is None) != (key.symmetric is None)
    with contextlib.suppress(DecodeError, UnsupportedError):
        confirmation.decode({1: codec.decode(data)})
    with contextlib.suppress(DecodeError, UnsupportedError):
        ccs.decode(codec.encode({8: {1: value}}))


@BOUNDED
@given(VALUES)
def test_claims_and_recipients_are_read_or_refused(value):
    data = codec.encode(value)
    with contextlib.suppress(DecodeError, UnsupportedError):
        claims.decode(data)
    with contextlib.suppress(DecodeError, UnsupportedError):
        recipient.require_direct(recipient.decode(codec.decode(data), limits=codec.DEFAULT_LIMITS))
