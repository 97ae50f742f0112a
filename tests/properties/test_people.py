"""Invariant: whatever stands in a file or under a signature about people, it is read or refused by one of our errors;
nobody gets a role, a delegation or a request out of anything but its exact form.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.role import Role
from thingstead.errors import ConfigError, ProtocolError, SecurityError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cwt import confirmation, token
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.profile import delegation, signed_request
from thingstead.storage.operator_file import key_word, parse_operators

pytestmark = pytest.mark.slow

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
OWNER, BEN = generate(KeyType.P256), generate(KeyType.P256)
BOUNDED = settings(deadline=None, max_examples=60)
SCALARS = st.one_of(st.integers(-(2**64), 2**64), st.text(max_size=8), st.binary(max_size=20), st.booleans(), st.none())
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner))
WORDS = st.one_of(
    st.sampled_from([*Role, "user:ben", "user:7", "key:", "key:AAAA", key_word(BEN.public), "#", "\n", "\t", "x"]),
    st.text(max_size=6),
)


def user_id(name):
    if name != "ben":
        raise ConfigError("nobody")
    return 1001


@BOUNDED
@given(st.lists(WORDS, max_size=12))
def test_any_text_gives_written_roles_or_a_config_error(words):
    try:
        operators = parse_operators(" ".join(words), user_id=user_id)
    except ConfigError:
        return
    given_roles = {one.role for one in operators.users.values()} | {one.role for _, one in operators.keys.values()}
    assert given_roles <= {Role.MAINTAINER, Role.USER, Role.AUDITOR}


@BOUNDED
@given(st.sampled_from(list(Claim)), VALUES)
def test_any_claim_that_an_owner_signs_is_a_bounded_delegation_or_a_refusal(claim, value):
    values = {
        Claim.ISS.value: "home",
        Claim.SUB.value: "ben",
        Claim.AUD.value: "home",
        Claim.EXP.value: AT + timedelta(days=1),
        Claim.IAT.value: AT,
        Claim.CTI.value: bytes(8),
        Claim.CNF.value: confirmation.for_public(BEN.public),
        Claim.ZONES.value: ["floor-1"],
        Claim.DEVICE_CLASSES.value: [2],
        claim.value: value,
    }
    # As a careless owner's program would sign it, without looking.
    payload = codec.encode(
        {key: int(one.timestamp()) if isinstance(one, datetime) else one for key, one in values.items()}
    )
    data = token.CWT_HEAD + sign1.sign(payload, OWNER, signature_id=AlgorithmId.ESP256)
    try:
        verified = delegation.authenticate(data, OWNER.public, domain="home", at=AT)
    except (ProtocolError, SecurityError):
        return
    assert verified.zones
    assert verified.classes <= {0, 1, 2}
    assert verified.expires > AT


@BOUNDED
@given(st.one_of(VALUES, st.tuples(st.just(1), st.just("home"), st.binary(min_size=16, max_size=16), VALUES, VALUES)))
def test_anything_under_a_good_signature_is_a_request_or_a_refusal(value):
    payload = codec.encode(list(value) if isinstance(value, tuple) else value)
    context = b"thingstead signed request 1"
    data = sign1.sign(payload, BEN, signature_id=AlgorithmId.ESP256, external_aad=context)
    try:
        request = signed_request.authenticate(data, BEN.public, domain="home")
    except (ProtocolError, SecurityError):
        return
    assert isinstance(request.operation, str)
    assert all(isinstance(name, str) for name in request.arguments)
