from datetime import date

import pytest

from tests.unit.domain.things import AT
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.planes.identity.registrar import Registrar
from thingstead.protocols.cwt.credential import INTRODUCED, issue_maker_identity

pytestmark = pytest.mark.requirement("R-05")

_ACME, _BROOK = generate(KeyType.P256), generate(KeyType.P256)
_THING = generate(KeyType.P256).public
_REGISTRAR = Registrar({"acme": _ACME.public, "brook": _BROOK.public})


def _identity(anchor, maker, signature_id=AlgorithmId.ESP256):
    return issue_maker_identity(
        _THING,
        anchor,
        maker=maker,
        serial="A0001",
        model="LX-1",
        constrained_class=2,
        mud_url="https://acme.example/lx-1.json",
        support_end=date(2031, 1, 1),
        at=AT,
        signature_id=signature_id,
    )


def test_a_maker_without_an_anchor_is_refused_by_name_of_the_reason():
    with pytest.raises(UntrustedError) as refused:
        _REGISTRAR.authenticate(_identity(_ACME, "nobody"), at=AT)
    assert refused.value.reason == "unknown maker"


def test_one_maker_does_not_speak_for_another():
    with pytest.raises(AuthenticationError):
        _REGISTRAR.authenticate(_identity(_BROOK, "acme"), at=AT)


def test_another_algorithm_than_agreed_is_refused():
    with pytest.raises(UnsupportedError):
        _REGISTRAR.authenticate(_identity(_ACME, "acme", AlgorithmId.ES256), at=AT)


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x80", bytes(64)])
def test_what_is_no_identity_is_refused(data):
    with pytest.raises((DecodeError, UnsupportedError)):
        _REGISTRAR.authenticate(data, at=AT)


@pytest.mark.parametrize(("anchor", "maker"), [(_ACME, "acme"), (_BROOK, "brook")])
def test_each_maker_s_things_stand_under_its_own_anchor(anchor, maker):
    identity = _REGISTRAR.authenticate(_identity(anchor, maker), at=AT)
    assert (identity.maker, identity.serial, identity.public) == (maker, "A0001", _THING)
    assert _REGISTRAR.makers() == ("acme", "brook")


def test_a_maker_is_trusted_no_longer_than_its_anchor_is_there():
    registrar = Registrar({"acme": _ACME.public})
    registrar.trust({"brook": _BROOK.public})
    with pytest.raises(UntrustedError):
        registrar.authenticate(_identity(_ACME, "acme"), at=AT)
    assert registrar.makers() == ("brook",)


def test_where_no_maker_is_known_the_owner_vouches_for_these_very_bytes():
    encoded = _identity(generate(KeyType.P256), "nobody")
    registrar = Registrar({"acme": _ACME.public}, is_vouched=lambda *asked: asked == (encoded, "A0001", _THING))
    identity = registrar.authenticate(encoded, at=AT)
    assert (identity.maker, identity.serial, identity.public) == (INTRODUCED, "A0001", _THING)
    other = _identity(generate(KeyType.P256), "nobody")
    with pytest.raises(UntrustedError):
        registrar.authenticate(other, at=AT)


def test_nobody_vouches_in_the_place_of_a_maker_that_is_known():
    forged = _identity(generate(KeyType.P256), "acme")
    with pytest.raises(AuthenticationError):
        Registrar({"acme": _ACME.public}, is_vouched=lambda *_: True).authenticate(forged, at=AT)


def test_what_an_install_code_let_in_stays_what_it_came_as_once_its_maker_is_trusted():
    encoded = _identity(_ACME, "acme")
    registrar = Registrar({"acme": _ACME.public}, is_introduced=lambda *asked: asked == ("A0001", _THING))
    assert registrar.authenticate(encoded, at=AT).maker == INTRODUCED
    registrar.trust({"acme": _BROOK.public})
    with pytest.raises(AuthenticationError):
        registrar.authenticate(encoded, at=AT)
