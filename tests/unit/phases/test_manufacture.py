"""What leaves the line holds under its own maker's anchor, for its own domain, key and time."""

from datetime import date, timedelta

import pytest

from tests.unit.domain.things import AT
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, ExpiredError, SecurityError
from thingstead.phases.manufacture import Maker, Model, bear
from thingstead.protocols.cwt.credential import authenticate_maker_identity
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.voucher import voucher

ACCEPT = frozenset({int(AlgorithmId.ESP256)})
MAKER = Maker("acme", "acme.example", generate(KeyType.P256), (generate(KeyType.P256), generate(KeyType.ML_DSA_44)))
MODEL = Model("LX-1", 2, "https://acme.example/lx-1.json", date(2031, 1, 1))
THING, DOMAIN, OTHER = (generate(KeyType.P256).public for _ in range(3))


def born(model=MODEL, serial="A0001", maker=MAKER):
    until = AT + timedelta(days=1)
    return bear(maker, model, serial, thing_key=THING, domain_key=DOMAIN, at=AT, voucher_expires=until)


def checked(thing, *, anchor=MAKER.anchor.public, serial="A0001", domain=DOMAIN, at=AT):
    voucher.authenticate(thing.voucher, anchor, serial=serial, domain_key=domain, at=at)


@pytest.mark.parametrize(
    ("model", "serial"),
    [
        (MODEL, ""),
        (MODEL, "A" * 500),
        (Model("", 2, MODEL.mud_url, MODEL.support_end), "A0001"),
        (Model("LX-1", 3, MODEL.mud_url, MODEL.support_end), "A0001"),
        (Model("LX-1", 2, "http://acme.example/lx-1.json", MODEL.support_end), "A0001"),
    ],
)
def test_what_verifiers_would_refuse_is_not_born(model, serial):
    with pytest.raises(DecodeError):
        born(model, serial)


@pytest.mark.requirement("R-61")
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"anchor": OTHER}, SecurityError),
        ({"domain": OTHER}, SecurityError),
        ({"serial": "A0002"}, SecurityError),
        ({"at": AT + timedelta(days=2)}, ExpiredError),
    ],
)
def test_a_voucher_holds_for_nobody_else_and_not_for_ever(wrong, error):
    with pytest.raises(error):
        checked(born(), **wrong)


def test_an_identity_holds_under_its_maker_s_anchor_only():
    with pytest.raises(SecurityError):
        authenticate_maker_identity(born().maker_identity, OTHER, accept=ACCEPT, maker="acme", at=AT)


@pytest.mark.spec("RFC 9124 3.1")
def test_a_thing_is_born_with_everything_that_it_will_show_and_check():
    thing = born()
    checked(thing)
    identity = authenticate_maker_identity(
        thing.maker_identity, MAKER.anchor.public, accept=ACCEPT, maker="acme", at=AT
    )
    assert (identity.public, identity.serial, identity.model, identity.constrained_class) == (THING, "A0001", "LX-1", 2)
    assert thing.release_anchors == tuple(key.public for key in MAKER.release_keys)
    assert (thing.vendor_id, thing.class_id) == (
        vendor_identifier("acme.example"),
        class_identifier(vendor_identifier("acme.example"), "LX-1"),
    )
