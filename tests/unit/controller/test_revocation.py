"""The file of revocations is its domain's or nobody's."""

import pytest

from tests.unit.domain.things import a_thing
from thingstead.controller import revocation
from thingstead.controller.revocation import AuthenticRevocations, Revocations, authenticate, is_revoked, sign
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.errors import AuthenticationError, DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label

KEY = generate(KeyType.P256)
SAID = Revocations("home", 2, 9, 4, (a_thing(1, state=LifecycleState.DECOMMISSIONED), a_thing(2)), (b"delegation",))


def signed(payload, typ=revocation._TYPE):
    return sign1.sign(codec.encode(payload), KEY, signature_id=AlgorithmId.ESP256, protected={Label.TYP: typ})


def test_what_was_signed_is_read_back():
    assert authenticate(sign(SAID, KEY), KEY.public, domain="home").revocations == SAID


def test_a_file_of_before_knows_no_delegations():
    read = authenticate(signed([1, "home", 1, 0, 0, []]), KEY.public, domain="home").revocations
    assert read == Revocations("home", 1, 0, 0, ())


def test_another_key_or_a_flipped_bit_is_refused():
    data = sign(SAID, KEY)
    with pytest.raises(AuthenticationError):
        authenticate(data, generate(KeyType.P256).public, domain="home")
    with pytest.raises(AuthenticationError):
        authenticate(data[:-1] + bytes([data[-1] ^ 1]), KEY.public, domain="home")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        sign(SAID, KEY)[:-1],
        signed([1, "home", 1, 0, 0, []], "application/vnd.thingstead.backup+cbor"),
        signed([3, "home", 1, 0, 0, [], []]),
        signed([2, "home", 1, 0, 0, []]),
        signed([1, "home", 1, 0, 0, [], []]),
        signed([2, "home", 1, 0, 0, [], {}]),
        signed([2, "home", 1, 0, 0, [], ["delegation"]]),
        signed([1, "elsewhere", 1, 0, 0, []]),
        signed([1, "home", 1, 0, 0, ["thing"]]),
        signed([1, "home", 1, 0, 0, [b"thing"]]),
        signed([1, "home", 1, 0, 0]),
    ],
    ids=[
        "empty",
        "cut",
        "a backup",
        "newer",
        "no list",
        "a list too many",
        "a map",
        "names",
        "another domain",
        "text",
        "no record",
        "short",
    ],
)
def test_what_is_no_such_file_is_refused(data):
    with pytest.raises(DecodeError):
        authenticate(data, KEY.public, domain="home")


def test_nobody_else_makes_verified_ones():
    with pytest.raises(TypeError):
        AuthenticRevocations(SAID, object())


@pytest.mark.parametrize("state", LifecycleState)
@pytest.mark.parametrize("restriction", Restriction)
def test_who_has_left_or_is_held_back_is_revoked_and_nobody_else(state, restriction):
    gone = state in {LifecycleState.DECOMMISSIONED, LifecycleState.RE_OWNED}
    assert is_revoked(a_thing(state=state, restriction=restriction)) is (gone or restriction is not Restriction.NONE)
