"""Debian's swupdate at the domain's door: it installs what its maker signed, tells how it went, and nothing else."""

import asyncio
import contextlib
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.processes import short_directory
from tests.interop.ddi_domain import DdiDomain, Link, Swupdate
from tests.interop.swu import ImageMaker
from thingstead.clock import SystemClock
from thingstead.controller.tls_identity import TlsIdentity
from thingstead.domain.campaign import Status
from thingstead.domain.campaign_plan import Plan, Share
from thingstead.planes.software.ddi_action import Action, Due
from thingstead.planes.software.offer import Offer
from thingstead.protocols.ddi.answer import artifact
from thingstead.protocols.ddi.request import Feedback
from thingstead.web.ddi_app import make_ddi
from thingstead.web.ddi_server import ddi_listener, ddi_service

pytestmark = [pytest.mark.interop, pytest.mark.slow]

MAKER, STRANGER = ImageMaker(), ImageMaker()
PAYLOAD = random.Random(1).randbytes(150_000)


class Gateway:
    """A device with a slot that is a file."""

    def __init__(self, folder, root, *, name="localhost"):
        self.slot = folder / "slot"
        self.domain = DdiDomain(folder, name=name)
        self.updater = Swupdate(root, folder, self.domain, trusted=MAKER.certificate_pem)

    def image(self, maker=MAKER, payload=PAYLOAD, version="1.1.0"):
        return maker.image(payload, version=version, path=str(self.slot))

    def holds(self, payload=PAYLOAD):
        return self.slot.exists() and self.slot.read_bytes() == payload


@pytest.fixture
def folder():
    with short_directory("swupdate-") as folder:
        yield folder


@pytest.fixture
def gateway(folder, peers):
    return Gateway(folder, Path(peers("updaters")) / "root")


@pytest.fixture
def far_gateway(folder, peers):
    """One at the end of a `Link`."""
    return Gateway(folder, Path(peers("updaters")) / "root", name=Link.host)


def play(gateway, story):
    async def whole():
        async with gateway.domain.up():
            gateway.updater.configure(gateway.domain)
            await story(gateway.domain, gateway.updater)

    asyncio.run(whole())


@pytest.mark.requirement("R-29")
def test_it_installs_a_release_and_says_so_after_its_restart_and_the_domains(gateway):
    domain, updater = gateway.domain, gateway.updater

    async def whole():
        async with domain.up():
            updater.configure(domain)
            await domain.publish(gateway.image(), version="1.1.0", sequence_number=2)
            async with updater.running():
                await updater.until(lambda: "All Chunks Installed" in domain.progress())
            assert gateway.holds()
            assert domain.version() == ""
            assert domain.released() == (1, 1, 0, 0)
        async with domain.up(), updater.running("-c 2"):
            await updater.until(lambda: domain.version() == "1.1.0")
            assert domain.released()[2:] == (1, 0)
            assert domain.progress() == "closed: Update Installed."

    asyncio.run(whole())
    assert "Verified OK" in updater.log


@pytest.mark.requirement("R-70")
def test_an_image_that_a_stranger_signed_is_not_installed_and_ends_the_campaign(gateway):
    async def story(domain, updater):
        plan = Plan(abort=(Share(1),))
        await domain.publish(gateway.image(STRANGER), version="1.1.0", sequence_number=2, plan=plan)
        async with updater.running():
            await updater.until(lambda: domain.released()[3] == 1)
            assert domain.progress().startswith("closed")
            await updater.until(lambda: domain.status() is Status.ABORTED)

    play(gateway, story)
    assert not gateway.slot.exists()
    assert "Authentication of all signatures failed" in gateway.updater.log


def test_a_download_goes_on_where_line_and_domain_broke_off(far_gateway):
    domain, updater = far_gateway.domain, far_gateway.updater
    payload = random.Random(2).randbytes(600_000)

    async def whole():
        link = Link(domain.port, speed=4e6, most=300_000)
        async with contextlib.AsyncExitStack() as stack:
            async with domain.up():
                await stack.enter_async_context(link.up())
                updater.configure(domain, host=link.host)
                await domain.publish(far_gateway.image(payload=payload), version="1.1.0", sequence_number=2)
                await stack.enter_async_context(updater.running())
                await updater.until(lambda: link.passed > link.most)
            link.cut()
            async with domain.up():
                await updater.until(lambda: "All Chunks Installed" in domain.progress())

    asyncio.run(whole())
    assert far_gateway.holds(payload)
    assert "206 Partial Content" in updater.log


def test_what_is_aborted_is_cancelled_while_it_is_fetched(far_gateway):
    payload = random.Random(3).randbytes(1_000_000)

    async def story(domain, updater):
        link = Link(domain.port, speed=2e5)
        async with link.up():
            updater.configure(domain, host=link.host)
            await domain.publish(far_gateway.image(payload=payload), version="1.1.0", sequence_number=2)
            async with updater.running():
                await updater.until(lambda: link.passed > 50_000)
                domain.abort()
                await updater.until(lambda: "/cancelAction/" in updater.log)
                link.cut()
                await updater.until(lambda: "closed" in domain.progress() or "cancel" in domain.progress())
        assert domain.released()[2] == 0

    play(far_gateway, story)
    assert not far_gateway.holds(payload)


@pytest.mark.requirement("R-09")
def test_a_quarantine_is_the_end_of_its_token(gateway):
    async def story(domain, updater):
        await domain.ask("thing.quarantine", thing=domain.thing)
        await domain.publish(gateway.image(), version="1.1.0", sequence_number=2)
        async with updater.running():
            await updater.until(lambda: "HTTP status code 403" in updater.log or "403 Forbidden" in updater.log)
        assert "software-plane" in domain.refusals()

    play(gateway, story)
    assert not gateway.slot.exists()


def test_with_a_certificate_for_its_own_key_it_needs_no_token(gateway, folder, program):
    key, request = folder / "device.key", folder / "device.csr"
    made = [
        program("openssl", package="openssl"),
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]
    words = [*made, "-nodes", "-subj", "/CN=x", "-keyout", key, "-out", request]
    subprocess.run([str(word) for word in words], check=True, capture_output=True)

    async def story(domain, updater):
        told = await domain.ask("thing.token", thing=domain.thing, request=request.read_text())
        (folder / "device.pem").write_text(told["certificate"])
        updater.configure(domain, certificate=(folder / "device.pem", key))
        await domain.publish(gateway.image(), version="1.1.0", sequence_number=2)
        async with updater.running():
            await updater.until(lambda: "All Chunks Installed" in domain.progress())
        assert gateway.holds()
        updater.configure(domain)
        async with updater.running():
            await updater.until(lambda: "401 Unauthorized" in updater.log)

    play(gateway, story)


def test_with_a_wrong_token_it_is_nobody(gateway):
    async def story(domain, updater):
        await domain.publish(gateway.image(), version="1.1.0", sequence_number=2)
        updater.configure(domain, token="c" * 43)
        async with updater.running():
            await updater.until(lambda: "401 Unauthorized" in updater.log)
        assert "token" in domain.refusals()
        assert domain.released() == (0, 0, 0, 0)

    play(gateway, story)
    assert not gateway.slot.exists()


class FakeActions:
    """Offers one image to whoever comes."""

    def __init__(self, image, described):
        self.progress: dict[Any, str] = {}
        self._offer = Offer("9.9.9", 9, b"", image, b"", None, bytes(32))
        self._described = described
        self._action = Action(7, bytes(32), bytes(32))
        self.told: list[Feedback] = []

    def require(self, _thing):
        pass

    async def due(self, _thing):
        return Due(self._action, self._offer)

    async def begin(self, _thing, _number):
        return self._action, self._offer

    def payload(self, _thing, _number):
        return self._offer

    def artifact(self, _offer):
        return self._described

    async def tell(self, _thing, _number, feedback):
        self.told.append(feedback)


class FakeDoor:
    """A server that lets anybody in: somebody's who wants to be the domain."""

    def __init__(self, image, described=None):
        self.actions = FakeActions(image, described or artifact(image))
        self.asked = 0

    async def authenticate(self, device, _authorization, *, source, certificate):
        self.asked += 1
        return device

    def refuse(self, thing, source, error):
        raise AssertionError(error)

    def wants_config(self, _thing):
        return False


async def fake(gateway, folder, door, story):
    """Serve a fake in the domain's place, under an authority in `folder`; the updater goes there."""
    identity = TlsIdentity(folder, domain="home", host="localhost", clock=SystemClock())
    listener = ddi_listener("127.0.0.1", 0)
    port = listener.getsockname()[1]
    app = make_ddi(door, origin=f"https://localhost:{port}", poll_seconds=1)
    async with ddi_service(app, listener, identity.context):
        gateway.updater.configure(gateway.domain, token="x", port=port)
        async with gateway.updater.running():
            await story()


def test_a_fake_server_under_another_authority_is_not_asked_for_anything(gateway, folder):
    door = FakeDoor(gateway.image())

    async def story():
        await gateway.updater.until(lambda: "certificate problem" in gateway.updater.log)

    asyncio.run(fake(gateway, folder / "other", door, story))
    assert door.asked == 0
    assert not gateway.slot.exists()


@pytest.mark.requirement("R-70")
@pytest.mark.parametrize("kind", ["signed by a stranger", "altered after it was described"])
def test_not_even_the_domains_own_server_makes_it_install_what_its_maker_did_not_sign(gateway, folder, kind):
    image = gateway.image(STRANGER if kind == "signed by a stranger" else MAKER)
    altered = image[:-3000] + bytes(16) + image[-2984:]
    door = FakeDoor(image) if kind == "signed by a stranger" else FakeDoor(altered, artifact(image))

    async def story():
        await gateway.updater.until(lambda: any(one.execution == "closed" for one in door.actions.told))

    asyncio.run(fake(gateway, folder / "domain" / "tls", door, story))
    assert [one.finished for one in door.actions.told if one.execution == "closed"] == ["failure"]
    assert not gateway.holds()
