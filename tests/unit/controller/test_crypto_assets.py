import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.controller.crypto_assets import own_assets
from thingstead.crypto.key import KeyType, generate
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.crypto_asset import AssetKind
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot
from thingstead.identifier import KeyId

pytestmark = pytest.mark.requirement("R-86")


def listed(*things, anchors=(), suites=(2, 3)):
    keys = MemoryKeyStore()
    for name in ("domain", "ledger"):
        keys.create(KeyId(name), KeyType.P256)
    register = Register(Snapshot(things=things, obligations=()))
    return list(own_assets(keys, register, anchors, suites=suites))


def test_everybody_who_has_joined_depends_on_the_key_of_the_domain_and_nobody_else_does():
    member = a_thing(joined_at=AT)
    domain = listed(member)[0]
    assert (domain.kind, domain.algorithms, domain.things) == (AssetKind.KEY, ("ECDH P-256",), (member.id,))
    assert listed(a_thing(joined_at=None))[0].things == ()


def test_every_suite_that_is_taken_is_a_protocol_with_all_that_it_rests_on():
    found = {one.name: one.algorithms for one in listed() if one.kind is AssetKind.PROTOCOL}
    assert set(found) == {"EDHOC with suite 2", "EDHOC with suite 3"}
    assert found["EDHOC with suite 2"] == ("ECDH P-256", "AES-CCM-16-64-128", "SHA-256")
    assert "AES-CCM-16-128-128" in found["EDHOC with suite 3"]
    assert [one for one in listed(suites=()) if one.kind is AssetKind.PROTOCOL] == []


def test_on_a_makers_key_its_own_things_depend():
    member = a_thing(joined_at=AT)
    anchors = [TrustAnchor(name, generate(KeyType.P256).public, (), bytes(16)) for name in (member.maker, "other")]
    found = {one.name: one.things for one in listed(member, anchors=anchors)}
    assert found[f"key that {member.maker} signs identities and vouchers with"] == (member.id,)
    assert found["key that other signs identities and vouchers with"] == ()
