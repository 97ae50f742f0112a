"""Devices that cannot join: the owner takes them in, and their token, the one proof that they have, ends at once."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.unit.controller.planes import House
from tests.unit.domain.things import AT
from tests.unit.web.ddi_desk import DEVICE, OTHER, OTHER_TOKEN, SENSOR, SOURCE, TOKEN, DdiDesk
from thingstead.controller.config import DdiConfig
from thingstead.controller.ddi import DdiRegistry, ddi_origin
from thingstead.controller.tls_identity import TlsIdentity
from thingstead.crypto.digest import digest
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Cause, LifecycleState, Restriction
from thingstead.domain.plane import Demand, PlaneName
from thingstead.domain.thing import DDI, DDI_CERTIFICATE, KeyRow
from thingstead.errors import AuthenticationError, ConfigError, PolicyError, StorageError, TransitionError
from thingstead.identifier import ThingId
from thingstead.storage.memory import MemoryStore


def request_of(key=None):
    """A certification request of a device."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


class Hall:
    """A house with a registry of devices."""

    def __init__(self):
        self.house = House(MemoryStore())
        self.registry = DdiRegistry(
            self.house.conductor,
            self.house.register,
            makers=lambda: frozenset({"acme"}),
            clock=self.house.clock,
            random_bytes=random.Random(1).randbytes,
        )

    def add(self, maker="acme", model="GW-1", serial="G-1", **changes):
        given: dict[str, Any] = {
            "zone": "cellar",
            "mud_url": "",
            "device_class": 3,
            "by": "owner",
            "verifies_images": True,
        }
        given |= changes
        return asyncio.run(self.registry.add(maker, model, serial, **given))

    def renew(self, thing):
        return asyncio.run(self.registry.renew(thing, by="owner"))


def test_a_device_is_taken_in_on_all_planes_and_on_the_ledger():
    hall = Hall()
    added = hall.add()
    assert (added.thing.state, added.thing.zone) == (LifecycleState.OPERATIONAL, "cellar")
    assert all(plane.calls[-1][1] is Demand.ADMIT for plane in hall.house.planes.values())
    (registration,) = hall.house.entries(Kind.REGISTRATION)
    assert dict(registration.details)["speaks"] == DDI
    assert [one.cause for one in hall.house.entries(Kind.TRANSITION)] == ["join-started", "joined"]


@pytest.mark.requirement("R-70")
@pytest.mark.parametrize("verifies", [False, True])
def test_who_verifies_no_image_is_a_thing_that_verifies_nothing(verifies):
    assert Hall().add(verifies_images=verifies).thing.verifies_nothing is not verifies


@pytest.mark.requirement("R-15")
def test_the_token_is_shown_once_and_kept_as_its_digest():
    hall = Hall()
    added = hall.add()
    row = added.thing.key(DDI, hall.house.clock.utc())
    assert row is not None
    assert row.thumbprint == digest(added.token.encode())
    assert len(added.token) == 43
    kept = b"".join(hall.house.store.leaves()) + str(added.thing).encode()
    assert added.token.encode() not in kept


def test_two_devices_have_two_tokens():
    hall = Hall()
    assert hall.add().token != hall.add(serial="G-2").token


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"maker": "stranger"}, ConfigError),
        ({"model": ""}, ConfigError),
        ({"serial": ""}, ConfigError),
        ({"serial": "x" * 129}, ConfigError),
        ({"serial": "G\n1"}, ConfigError),
        ({"model": "\x1b[2J"}, ConfigError),
        ({"zone": "\x00"}, ConfigError),
    ],
)
def test_what_is_no_device_is_not_taken_in(wrong, error):
    hall = Hall()
    with pytest.raises(error):
        hall.add(**wrong)
    assert list(hall.house.register.things()) == []


def test_a_device_that_is_known_is_not_taken_in_again():
    hall = Hall()
    hall.add()
    with pytest.raises(PolicyError):
        hall.add()


def test_an_addition_that_was_cut_short_goes_on():
    hall = Hall()
    plane: Any = hall.house.conductor
    real, calls = plane.transition, []

    async def cut(thing, cause, **rest):
        calls.append(cause)
        if len(calls) == 2:
            raise StorageError("the disk is full")
        return await real(thing, cause, **rest)

    plane.transition = cut
    with pytest.raises(StorageError):
        hall.add()
    plane.transition = real
    added = hall.add()
    assert added.thing.state is LifecycleState.OPERATIONAL
    assert len(list(hall.house.register.things())) == 1


def test_another_token_ends_the_one_before():
    hall = Hall()
    first = hall.add()
    hall.house.clock.seconds += 1
    second = hall.renew(first.thing.id)
    row = second.thing.key(DDI, hall.house.clock.utc())
    assert row is not None
    assert row.thumbprint == digest(second.token.encode()) != digest(first.token.encode())
    assert sum(one.until is None for one in second.thing.keys) == 1


@pytest.mark.requirement("R-15")
def test_a_clock_that_goes_back_brings_no_token_back():
    desk = DdiDesk()
    old = KeyRow(digest(b"copied"), DDI, AT - timedelta(days=9), AT + timedelta(days=1))
    desk.change(DEVICE.evolve(keys=(old, KeyRow(digest(TOKEN.encode()), DDI, AT + timedelta(days=1)))))
    with pytest.raises(AuthenticationError):
        authenticate(desk, authorization="TargetToken copied")
    assert authenticate(desk) == DEVICE.id


def test_a_device_gets_a_certificate_and_loses_its_token(tmp_path):
    hall = Hall()
    first = hall.add()
    with pytest.raises(ConfigError):
        asyncio.run(hall.registry.renew(first.thing.id, request=b"request", by="owner"))
    identity = TlsIdentity(tmp_path / "tls", domain="home", host="localhost", clock=hall.house.clock)
    hall.registry.certify = identity.certify
    hall.house.clock.seconds += 1
    second = asyncio.run(hall.registry.renew(first.thing.id, request=request_of(), by="owner"))
    assert second.token == ""
    assert second.certificate is not None
    assert second.certificate.subject == f"CN={first.thing.id}"
    (row,) = [one for one in second.thing.keys if one.until is None or one.until > hall.house.clock.utc()]
    assert (row.role, row.thumbprint) == (DDI_CERTIFICATE, digest(second.certificate.der))
    hall.house.clock.seconds += 1
    third = hall.renew(first.thing.id)
    assert [one.role for one in third.thing.keys if one.until is None] == [DDI]


@pytest.mark.requirement("R-15")
def test_a_device_that_has_to_join_again_comes_back_with_another_token():
    hall = Hall()
    first = hall.add()
    asyncio.run(hall.house.conductor.transition(first.thing.id, Cause.RE_BOOTSTRAP_REQUIRED, actor="restore"))
    assert {plane.calls[-1][1] for plane in hall.house.planes.values()} == {Demand.RESTRICT}
    hall.house.clock.seconds += 1
    second = hall.renew(first.thing.id)
    assert (second.thing.state, second.thing.joined_at) == (LifecycleState.OPERATIONAL, hall.house.clock.utc())
    assert all(plane.calls[-1][1] is Demand.ADMIT for plane in hall.house.planes.values())
    assert sum(one.until is None for one in second.thing.keys) == 1


def test_another_token_ends_no_quarantine():
    hall = Hall()
    thing = hall.add().thing.id
    asyncio.run(hall.house.conductor.transition(thing, Cause.RE_BOOTSTRAP_REQUIRED, actor="restore"))
    asyncio.run(hall.house.conductor.restrict(thing, Restriction.QUARANTINED, cause="doubt", actor="owner"))
    with pytest.raises(TransitionError):
        hall.renew(thing)
    assert hall.house.register.thing(thing).state is LifecycleState.RE_BOOTSTRAPPING
    assert Demand.ADMIT not in {plane.calls[-1][1] for plane in hall.house.planes.values()}


def test_a_thing_without_a_token_gets_none():
    hall = Hall()
    with pytest.raises(ConfigError):
        hall.renew(ThingId("thing-aaaaaaaaaaaaaaab"))
    added = hall.add()
    asyncio.run(hall.house.conductor.transition(added.thing.id, Cause.RETIRED, actor="owner"))
    with pytest.raises(PolicyError):
        hall.renew(added.thing.id)


def authenticate(desk, device=DEVICE.id, authorization=f"TargetToken {TOKEN}", certificate=b""):
    return asyncio.run(desk.door.authenticate(device, authorization, source=SOURCE, certificate=certificate))


class Certified(DdiDesk):
    """A desk whose device has a certificate until the next day, and no token."""

    def __init__(self):
        super().__init__()
        until = AT + timedelta(days=1)
        self.change(DEVICE.evolve(keys=(KeyRow(digest(b"certificate"), DDI_CERTIFICATE, AT, until),)))


def test_its_certificate_makes_a_device_itself_until_it_ends():
    desk = Certified()
    assert authenticate(desk, authorization="", certificate=b"certificate") == DEVICE.id
    desk.door.authority_expires = AT + timedelta(days=7000)
    assert [(one.at - AT).days for one in desk.door.expiries()] == [1, 7000]
    desk.clock.seconds += timedelta(days=1).total_seconds()
    with pytest.raises(AuthenticationError):
        authenticate(desk, authorization="", certificate=b"certificate")


@pytest.mark.parametrize(
    ("device", "authorization", "certificate"),
    [
        (DEVICE.id, "", b""),
        (DEVICE.id, "", b"another"),
        (DEVICE.id, f"TargetToken {TOKEN}", b""),
        (DEVICE.id, "TargetToken certificate", b""),
        (OTHER.id, "", b"certificate"),
        (SENSOR.id, "", b"certificate"),
    ],
)
def test_no_certificate_but_its_own_makes_a_device(device, authorization, certificate):
    with pytest.raises(AuthenticationError):
        authenticate(Certified(), device, authorization, certificate)


def test_a_certificate_is_no_token():
    with pytest.raises(AuthenticationError):
        authenticate(DdiDesk(), authorization="", certificate=TOKEN.encode())


def test_its_token_makes_a_device_itself():
    assert authenticate(DdiDesk()) == DEVICE.id


@pytest.mark.parametrize(
    ("device", "authorization"),
    [
        (DEVICE.id, ""),
        (DEVICE.id, "TargetToken"),
        (DEVICE.id, f"TargetToken {OTHER_TOKEN}"),
        (DEVICE.id, f"GatewayToken {TOKEN}"),
        (DEVICE.id, f"TargetToken {TOKEN}x"),
        (DEVICE.id, "TargetToken é"),
        (SENSOR.id, f"TargetToken {TOKEN}"),
        ("thing-zzzzzzzzzzzzzzzz", f"TargetToken {TOKEN}"),
        ("", f"TargetToken {TOKEN}"),
    ],
)
def test_anything_else_is_nobody(device, authorization):
    with pytest.raises(AuthenticationError) as refusal:
        authenticate(DdiDesk(), device, authorization)
    assert refusal.value.reason == "token"


@pytest.mark.requirement("R-09")
def test_a_token_that_was_replaced_is_nobodys_at_once():
    desk = DdiDesk()
    authenticate(desk)
    row = DEVICE.keys[0]
    desk.change(DEVICE.evolve(keys=(type(row)(row.thumbprint, DDI, row.since, desk.clock.utc()),)))
    with pytest.raises(AuthenticationError):
        authenticate(desk)


def test_what_left_is_forgotten():
    desk = DdiDesk()
    desk.publish()
    desk.begin()
    desk.change(DEVICE.evolve(state=LifecycleState.DECOMMISSIONED))
    asyncio.run(desk.door.tidy())
    assert desk.door.last_heard(DEVICE.id) is None
    assert not list(desk.store.documents(PlaneName.IDENTITY))


def test_the_end_of_the_authority_is_in_the_calendar_with_every_device_that_it_strands():
    desk = DdiDesk()
    assert desk.door.expiries() == []
    desk.door.authority_expires = AT
    (expiry,) = desk.door.expiries()
    assert (expiry.at, set(expiry.strands)) == (AT, {DEVICE.id, OTHER.id})
    desk.change(DEVICE.evolve(state=LifecycleState.DECOMMISSIONED))
    assert desk.door.expiries()[0].strands == (OTHER.id,)


@pytest.mark.parametrize(
    ("name", "origin"),
    [("updates.example", "https://updates.example:8443"), ("192.0.2.1", "https://192.0.2.1:8443"),
     ("2001:db8::1", "https://[2001:db8::1]:8443")],
)  # fmt: skip
def test_links_begin_with_the_name_that_the_owner_gave(name, origin):
    assert ddi_origin(DdiConfig(enabled=True, name=name)) == origin


def test_nothing_is_served_where_it_is_off():
    assert ddi_origin(DdiConfig()) == ""
