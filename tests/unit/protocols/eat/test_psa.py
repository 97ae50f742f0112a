from typing import Any

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim.matching import is_environment, is_measurement
from thingstead.protocols.corim.statement import Environment, Measurement
from thingstead.protocols.eat import claims, psa

COMPONENT = {1: "BL", 2: bytes(32), 4: "2.1.0", 5: bytes(32), 6: "SHA-256"}
TOKEN: dict[int, Any] = {
    10: bytes(32),
    256: b"\x01" + bytes(32),
    265: psa.PROFILE,
    268: bytes(32),
    2394: -1,
    2395: 0x3000,
    2396: bytes(32),
    2398: "1234567890123-12345",
    2399: [COMPONENT],
    2400: "https://verifier.example",
}


@pytest.mark.spec("RFC 9783 4.4.1")
def test_a_psa_token_is_read_and_matches_reference_values_of_its_profile():
    found = psa.read(claims.from_map(TOKEN))
    assert (found.client_id, found.is_secured, found.components[0].version) == (-1, True, "2.1.0")
    assert is_environment(Environment(Tag(560, bytes(32))), found.environment)
    meant = Measurement("psa.software-component", {2: {1: bytes(32)}, 11: "BL", 13: (Tag(560, bytes(32)),)})
    assert is_measurement(meant, found.measurements[0])


@pytest.mark.parametrize("lifecycle", [0x0000, 0x2FFF, 0x3100, 0x6000])
def test_a_root_of_trust_in_another_state_is_not_secured(lifecycle):
    assert not psa.read(claims.from_map({**TOKEN, 2395: lifecycle})).is_secured


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        (265, "http://arm.com/psa/2.0.0"),
        (10, bytes(16)),
        (10, [bytes(32), bytes(32)]),
        (256, bytes(33)),
        (256, b"\x01" + bytes(31)),
        (268, bytes(7)),
        (2394, "1"),
        (2395, 0x10000),
        (2396, bytes(31)),
        (2398, "1234567890123"),
        (2399, []),
        (2399, [{**COMPONENT, 2: bytes(31)}]),
        (2399, [{1: "BL", 2: bytes(32)}]),
        (2400, 5),
    ],
)
def test_what_breaks_the_profile_is_refused(claim, value):
    with pytest.raises(DecodeError):
        psa.read(claims.from_map({**TOKEN, claim: value}))


@pytest.mark.parametrize("claim", [10, 256, 265, 2394, 2395, 2396, 2399])
def test_a_claim_that_the_profile_asks_for_has_to_be_there(claim):
    with pytest.raises(DecodeError):
        psa.read(claims.from_map({key: value for key, value in TOKEN.items() if key != claim}))
