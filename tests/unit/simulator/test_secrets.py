from dataclasses import replace

import pytest

from tests.unit.simulator.test_key_log import MEMBER
from tests.unit.simulator.test_scenery import prepared
from thingstead.agent import association as association_codec
from thingstead.agent.file_home import FileHome
from thingstead.agent.membership import ASSOCIATION
from thingstead.agent.program import HOME, KEYS
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ThingsteadError
from thingstead.secret import Secret
from thingstead.simulator.scenery import MAKERS
from thingstead.simulator.secrets import secrets_of

MASTER_SECRET = Secret(bytes(range(16)))


@pytest.fixture
def world(tmp_path):
    return prepared(tmp_path)


def join(thing):
    association = replace(MEMBER, master_secret=MASTER_SECRET)
    FileHome(thing.home / HOME).save(ASSOCIATION, association_codec.encode(association))


@pytest.mark.requirement("R-24")
def test_no_key_of_domain_makers_or_things_is_left_out(world):
    found = secrets_of(world)
    stores = {"domain": world.domain.keys}
    stores |= {f"maker {name}": world.makers[name].root / "keys" for name in MAKERS}
    stores |= {thing.serial: thing.home / KEYS for thing in world.things}
    held = {f"{owner}: key {name}" for owner, path in stores.items() for name in FileKeyStore(path).ids()}
    assert found.keys() == held
    assert {name.partition(":")[0] for name in found} == stores.keys()


def test_what_was_gathered_is_no_easier_to_print_than_before(world):
    assert all(secret.reveal().hex() not in repr(secret) for secret in secrets_of(world).values())


def test_no_two_of_them_are_one_secret(world):
    found = secrets_of(world)
    assert len({secret.reveal() for secret in found.values()}) == len(found)


@pytest.mark.requirement("R-24")
def test_a_thing_that_joined_has_the_secret_of_its_association_too(world):
    before = secrets_of(world)
    join(world.things[0])
    joined = {name: secret for name, secret in secrets_of(world).items() if name not in before}
    assert [*joined] == [f"{world.things[0].serial}: OSCORE master secret"]
    assert joined.popitem()[1] == MASTER_SECRET


def damaged_key(thing):
    (path, *_) = [path for path in (thing.home / KEYS).iterdir() if path.is_file()]
    path.chmod(0o600)
    path.write_bytes(b"")


def readable_by_others(thing):
    (path, *_) = [path for path in (thing.home / KEYS).iterdir() if path.is_file()]
    path.chmod(0o644)


def damaged_association(thing):
    join(thing)
    (thing.home / HOME / ASSOCIATION).write_bytes(b"\xff")


@pytest.mark.parametrize("damage", [damaged_key, readable_by_others, damaged_association])
def test_a_store_that_cannot_be_read_is_not_passed_over(world, damage):
    """A search that left out a secret would find the capture clean."""
    damage(world.things[-1])
    with pytest.raises(ThingsteadError):
        secrets_of(world)
