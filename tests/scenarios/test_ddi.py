"""A device that speaks hawkBit's API lives and leaves as all things do: on the ledger, over restarts, and at once."""

import pytest

from tests.scenarios.test_update import Releases
from tests.scenarios.world import play
from tests.unit.web.ddi_desk import Reply
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.web.ddi_app import make_ddi

SOURCE = "192.0.2.99"


class Device:
    """A device at the door of a world's domain."""

    def __init__(self, world):
        self._world = world
        self.id = self.token = ""

    async def add(self, serial="G-1"):
        added = await self._world.domain.ask("thing.add", maker="acme", model="GW-1", serial=serial)
        self.id, self.token = added["thing"], added["token"]
        return self

    async def ask(self, rest="", method="GET", body=b""):
        app = make_ddi(self._world.domain.controller.ddi, origin="https://x", poll_seconds=300)
        sent = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "raw_path": f"/default/controller/v1/{self.id}{rest}".encode(),
            "headers": [(b"authorization", f"TargetToken {self.token}".encode())],
            "client": (SOURCE, 1),
        }
        await app(scope, receive, send)
        return Reply(sent)

    async def begin(self):
        links = (await self.ask()).json()["_links"]
        number = links["deploymentBase"]["href"].rpartition("/")[2]
        assert (await self.ask(f"/deploymentBase/{number}")).status == 200
        return number


def test_a_device_is_there_after_a_restart_whether_it_was_heard_or_not():
    async def story(world):
        heard, unheard = await Device(world).add("G-1"), await Device(world).add("G-2")
        assert (await heard.ask()).status == 200
        await world.domain.crash()
        await world.domain.start()
        assert (await heard.ask()).status == (await unheard.ask()).status == 200
        shown = await world.domain.ask("thing.show", thing=heard.id)
        assert (shown["speaks"], shown["state"]) == ("ddi", "operational")
        assert shown["last_heard"] is not None
        await world.until(lambda: not world.domain.controller.register.obligations())

    play(story)


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("way", ["quarantine", "retire"])
def test_its_token_ends_with_the_decision_and_the_kill_clock_says_so(way):
    async def story(world):
        device = await Device(world).add()
        assert (await device.ask()).status == 200
        told = await world.domain.ask(f"thing.{way}", thing=device.id)
        assert {(await device.ask(rest)).status for rest in ("", "/deploymentBase/1", "/cancelAction/1")} == {403}
        (software,) = [one for one in told["planes"] if one["plane"] == "software"]
        assert software["milliseconds"] == 0
        await world.domain.crash()
        await world.domain.start()
        assert (await device.ask()).status == 403

    play(story)


def test_a_quarantine_that_is_lifted_gives_the_token_back_and_a_retirement_is_for_good():
    async def story(world):
        device = await Device(world).add()
        await world.domain.ask("thing.quarantine", thing=device.id)
        await world.domain.ask("thing.restore", thing=device.id)
        assert (await device.ask()).status == 200
        await world.domain.ask("thing.retire", thing=device.id)
        assert "error" in await world.domain.answer("thing.token", thing=device.id)
        assert "error" in await world.domain.answer("thing.add", maker="acme", model="GW-1", serial="G-1")
        assert world.domain.record("G-1").state is LifecycleState.DECOMMISSIONED

    play(story)


def test_a_download_is_cut_off_in_the_middle_by_a_quarantine(tmp_path):
    async def story(world):
        device = await Device(world).add()
        await Releases(world, tmp_path).publish(*Releases(world, tmp_path).make("GW-1"))
        number = await device.begin()
        file = f"/softwaremodules/{number}/artifacts/firmware.bin"
        assert (await device.ask(file)).status == 200
        await world.domain.ask("thing.quarantine", thing=device.id)
        assert (await device.ask(file)).status == 403
        body = b'{"status": {"execution": "closed", "result": {"finished": "success"}}}'
        assert (await device.ask(f"/deploymentBase/{number}/feedback", "POST", body)).status == 403
        assert (await world.domain.ask("release.list"))[0]["installed"] == 0

    play(story)


def test_its_life_is_on_the_ledger(tmp_path):
    async def story(world):
        device = await Device(world).add()
        await Releases(world, tmp_path).publish(*Releases(world, tmp_path).make("GW-1"))
        number = await device.begin()
        body = b'{"status": {"execution": "closed", "result": {"finished": "success"}}}'
        assert (await device.ask(f"/deploymentBase/{number}/feedback", "POST", body)).status == 200
        first = device.token
        device.token = (await world.domain.ask("thing.token", thing=device.id))["token"]
        assert (await device.ask()).status == 200
        device.token = first
        assert (await device.ask()).status == 401
        told = [(one.kind, one.cause) for one in world.domain.entries() if one.thing == device.id]
        for entry in (
            (Kind.REGISTRATION, "registered"),
            (Kind.TRANSITION, "joined"),
            (Kind.INSTALLATION, "installed"),
            (Kind.CONFIGURATION, "ddi-token"),
        ):
            assert entry in told
        assert not any(token.encode() in leaf for leaf in world.domain.disk.leaves() for token in (first, device.token))

    play(story)


@pytest.mark.requirement("R-70")
def test_who_verifies_no_image_is_kept_off_the_internet_from_its_first_contact_on():
    async def story(world):
        device = await Device(world).add()
        await device.ask()
        await world.until(lambda: not world.domain.controller.register.obligations())
        shown = await world.domain.ask("thing.show", thing=device.id)
        assert shown["verifies_releases"] is False

    play(story)
