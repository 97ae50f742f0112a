"""Installers on a building site: each approves what is theirs, with their own key, and nothing else."""

import asyncio
import base64
from datetime import timedelta

import pytest

from tests.scenarios.test_backup import backed_up, begun_again
from tests.scenarios.world import POLICY, play
from thingstead.controller import revocation
from thingstead.controller.operation_table import gate
from thingstead.controller.restoration import newer_entries, why_held
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Kind
from thingstead.identifier import KeyId
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import birth, delegation, signed_request
from thingstead.storage.operator_file import key_word

pytestmark = pytest.mark.requirement("R-03")

_HOLD = POLICY.replace('scope = "member"\n', 'scope = "member"\nverdict = "hold"\n')


class Installer:
    """Somebody with a key of their own, at whatever socket they reach."""

    def __init__(self, world):
        self.world, self.key = world, generate(KeyType.P256)

    async def delegate(self, name="ben", **bounds):
        said = {"zones": ["floor-1"], "classes": [2], "days": 1.0, **bounds}
        return await self.world.domain.ask("installer.add", name=name, key=key_word(self.key.public), **said)

    async def ask(self, operation, **arguments):
        people = gate(self.world.domain.controller)
        opened = (await people.answer_owner({"operation": "challenge"}, 0))["result"]
        signed = signed_request.sign(
            operation, arguments, self.key, domain=opened["domain"], challenge=bytes.fromhex(opened["challenge"])
        )
        return await people.answer_owner({"signed": base64.urlsafe_b64encode(signed).decode()}, 0)

    async def admit(self, thing):
        """Approve a thing after reading the label on it."""
        key = cose_key.thumbprint(thing.keys.handle(birth.IDENTITY_KEY).public).hex()
        return await self.ask("thing.admit", thing=self.world.domain.record(thing.serial).id, key=key)


async def _waiting(world, **born):
    things = [world.thing("A0001"), world.thing("B0001", maker=world.makers["brook"], model="TH-2")]
    for thing in things:
        thing.start()
    await world.until(lambda: len(list(world.domain.controller.admission.waiting())) == 2)
    return things


def test_an_installer_lets_in_what_is_on_their_floor_and_nothing_else():
    async def story(world):
        lamp, sensor = await _waiting(world)
        ben = Installer(world)
        delegated = await ben.delegate()
        assert (await ben.admit(sensor))["error"]["reason"] == "delegation"
        assert "result" in await ben.admit(lamp)
        await world.until(lambda: lamp.has_reported)
        assert not sensor.is_joined
        (said,) = world.domain.entries(Kind.APPROVAL)
        assert (said.actor, said.thing) == ("installer:ben", lamp.id)
        assert said.details["delegation"].hex() == delegated["delegation_id"]
        # What is on the ledger is enough to check it elsewhere: owner's key, delegation, what the installer signed.
        (given,) = world.domain.entries(Kind.DELEGATION)
        owner = world.domain.keys.handle(KeyId("owner")).public
        verified = delegation.authenticate(given.details["delegation"], owner, domain="home", at=said.at)
        request = signed_request.authenticate(said.details["signed"], verified.public, domain="home")
        assert request.arguments["thing"] == lamp.id

    play(story, policy=_HOLD)


@pytest.mark.parametrize(
    "operation", ["thing.retire", "thing.quarantine", "policy.reload", "installer.add", "data.list"]
)
def test_an_installer_does_nothing_but_approve(operation):
    async def story(world):
        ben = Installer(world)
        await ben.delegate()
        assert (await ben.ask(operation))["error"]["kind"] == "RoleError"

    play(story, policy=_HOLD)


def test_a_stranger_s_key_approves_nothing_and_a_revoked_one_not_any_more_also_over_a_restart():
    async def story(world):
        lamp, _ = await _waiting(world)
        ben = Installer(world)
        assert (await ben.admit(lamp))["error"]["reason"] == "operator"
        await ben.delegate()
        await ben.admit(lamp)
        await world.domain.ask("installer.revoke", name="ben")
        await world.domain.crash()
        await world.domain.start()
        assert (await ben.admit(lamp))["error"]["reason"] == "operator"
        await world.sleep(120)
        assert not lamp.is_joined
        assert [one.cause for one in world.domain.entries(Kind.APPROVAL)] == ["approved", "undone"]

    play(story, policy=_HOLD)


def test_a_delegation_that_ran_out_lets_nobody_in():
    async def story(world):
        lamp, _ = await _waiting(world)
        ben = Installer(world)
        await ben.delegate(days=0.01)
        world.clock.skew += timedelta(days=1)
        assert (await ben.admit(lamp))["error"]["reason"] == "operator"

    play(story, policy=_HOLD)


@pytest.mark.requirement("R-62")
@pytest.mark.parametrize("place", ["second place", "none"])
def test_an_installer_who_was_revoked_after_a_backup_does_not_come_back_by_it(place, tmp_path, monkeypatch):
    async def at_once(work, *arguments):
        return work(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", at_once)

    async def story(world):
        lamp, _ = await _waiting(world)
        ben, eve = Installer(world), Installer(world)
        await ben.delegate()
        await eve.delegate("eve")
        backup = await backed_up(world, tmp_path)
        assert len(backup.backup.delegations) == 2
        await world.domain.ask("installer.revoke", name="eve")
        await world.sleep(2)
        await begun_again(world, backup, with_revocations=place == "second place")
        await world.until(lambda: len(list(world.domain.controller.admission.waiting())) == 2, within=600)
        assert (await eve.admit(lamp))["error"]["reason"] == "operator"
        told = await ben.admit(lamp)
        if place == "second place":
            assert "result" in told
            await world.until(lambda: lamp.has_reported, within=300)
        else:
            # Nobody knows who was revoked: nobody is an installer.
            assert told["error"]["reason"] == "operator"

    play(story, policy=_HOLD)


@pytest.mark.requirement("R-62")
def test_operators_are_in_a_backup_and_a_line_that_was_taken_out_since_is_a_decision(tmp_path, monkeypatch):
    async def at_once(work, *arguments):
        return work(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", at_once)

    async def story(world):
        eve = Installer(world)
        world.domain.operators = f"maintainer {key_word(eve.key.public)} eve\n"
        await world.sleep(2)
        backup = await backed_up(world, tmp_path)
        assert backup.backup.operators == world.domain.operators
        assert _why(world, backup) == ""
        world.domain.operators = ""
        await world.sleep(3)
        assert "changed after this backup" in _why(world, backup)

    play(story)


def _why(world, backup):
    revoked = revocation.authenticate(world.domain.revocations.load(), backup.signer, domain="home")
    return why_held(backup, newer_entries(backup, world.domain.heads.load()), revoked)


@pytest.mark.requirement("R-62")
def test_what_an_installer_let_in_counts_over_a_restore_too(tmp_path, monkeypatch):
    async def at_once(work, *arguments):
        return work(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", at_once)

    async def story(world):
        lamp, other = world.thing("A0001"), world.thing("A0002")
        for thing in (lamp, other):
            thing.start()
        await world.until(lambda: len(list(world.domain.controller.admission.waiting())) == 2)
        ben = Installer(world)
        await ben.delegate(count=1)
        assert "result" in await ben.admit(lamp)
        assert (await ben.admit(other))["error"]["reason"] == "delegation"
        await world.until(lambda: lamp.has_reported)
        backup = await backed_up(world, tmp_path)
        await begun_again(world, backup, with_revocations=True)
        await world.until(lambda: list(world.domain.controller.admission.waiting()), within=600)
        await world.sleep(120)
        assert (await ben.admit(other))["error"]["reason"] == "delegation"
        (told,) = await world.domain.ask("installer.list")
        assert (told["let_in"], told["count"]) == (1, 1)

    play(story, policy=_HOLD)
