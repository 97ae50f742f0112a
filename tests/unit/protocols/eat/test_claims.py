from typing import Any

import pytest

from tests.unit.protocols.eat.evidences import CLAIMS, NONCE, PROFILE
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.eat import claims
from thingstead.protocols.eat.claims import DetachedDigest, EatClaim, NestedToken

FULL: dict[int, Any] = {
    **CLAIMS,
    4: 1,
    257: {"sim": bytes(7)},
    258: 64242,
    259: b"m",
    260: ["3.1", 1],
    261: 5,
    262: True,
    263: 4,
    264: {1: 48.1, 2: 11, 9: 3},
    266: {"a": {256: bytes(7)}, "b": b"token", "c": "json", "d": [-16, bytes(32)]},
    267: 1,
    268: b"seed",
    269: [["https://a.example", "platform", "app"]],
    270: "OS",
    271: ["1.0"],
    272: [[258, b"swid"]],
    273: [[295, b"body"]],
    274: [["system", [["all", 1], [b"x", 2]]]],
    275: 5,
    -70000: "of a profile",
}


@pytest.mark.spec("RFC 9711 4.2")
def test_every_claim_is_read():
    found = claims.decode(codec.encode(FULL))
    assert found.values.keys() == FULL.keys()
    assert (found.nonces, found.profile, found.measurements) == ((NONCE,), PROFILE, ((295, b"body"),))


@pytest.mark.spec("RFC 9711 4.2.18")
def test_a_submodule_is_what_its_type_says():
    found = claims.from_map(FULL).submodules
    assert found["b"] == NestedToken(b"token")
    assert found["c"] == NestedToken("json")
    assert found["d"] == DetachedDigest(-16, bytes(32))
    assert claims.from_map({10: [NONCE, bytes(64)]}).nonces == (NONCE, bytes(64))
    bare = claims.from_map({4: 1})
    assert (bare.nonces, bare.profile, dict(bare.submodules), bare.measurements) == ((), None, {}, ())


@pytest.mark.spec("RFC 9711 4.1")
@pytest.mark.parametrize("nonce", [bytes(7), bytes(65), "text" * 3, [], [bytes(7)], [NONCE, 5], None])
def test_a_nonce_has_8_to_64_bytes(nonce):
    with pytest.raises(DecodeError):
        claims.decode(codec.encode({10: nonce}))


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        (EatClaim.UEID, bytes(6)),
        (EatClaim.UEID, bytes(34)),
        (EatClaim.SUEIDS, {}),
        (EatClaim.SUEIDS, {1: bytes(7)}),
        (EatClaim.OEMID, bytes(4)),
        (EatClaim.HWMODEL, b""),
        (EatClaim.HWVERSION, "3.1"),
        (EatClaim.UPTIME, -1),
        (EatClaim.OEMBOOT, 1),
        (EatClaim.DBGSTAT, 5),
        (EatClaim.DBGSTAT, True),
        (EatClaim.LOCATION, {1: 48.1}),
        (EatClaim.LOCATION, {1: "a", 2: 1}),
        (EatClaim.PROFILE, ""),
        (EatClaim.PROFILE, 5),
        (EatClaim.SUBMODS, {}),
        (EatClaim.SUBMODS, {1: {}}),
        (EatClaim.SUBMODS, {"a": 5}),
        (EatClaim.SUBMODS, {"a": {}}),
        (EatClaim.SUBMODS, {"a": [-16]}),
        (EatClaim.SUBMODS, {str(number): b"" for number in range(33)}),
        (EatClaim.BOOTSEED, "seed"),
        (EatClaim.DLOAS, [["https://a.example"]]),
        (EatClaim.SWVERSION, []),
        (EatClaim.MANIFESTS, []),
        (EatClaim.MEASUREMENTS, [[295]]),
        (EatClaim.MEASUREMENTS, [[-1, b"body"]]),
        (EatClaim.MEASRES, [["system", [["all", 5]]]]),
        (EatClaim.INTUSE, 0),
    ],
)
def test_a_claim_outside_its_grammar_is_refused(claim, value):
    with pytest.raises(DecodeError):
        claims.decode(codec.encode({int(claim): value}))


def test_submodules_end_somewhere():
    nested: dict[Any, Any] = {270: "innermost"}
    for _ in range(4):
        nested = {266: {"a": nested}}
    with pytest.raises(DecodeError, match="levels"):
        claims.from_map(nested)
