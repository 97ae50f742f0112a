"""A release with all that goes with it, from its maker to things, and what becomes known of it afterwards."""

import json

import pytest

from tests.scenarios.world import POLICY, play
from thingstead.controller.operation_table import operations
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.role import Operator, Role
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile.release_statement import Statement, member, sign_statement
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.identifier import class_identifier
from thingstead.simulator.firmware import demo_image

pytestmark = [pytest.mark.slow, pytest.mark.requirement("R-18")]
STRICT = POLICY.replace('[release]\nsbom_missing = "allow"\n', "")
BEN = Operator(Role.MAINTAINER, "ben")


def brought(world, folder, version, number, *hosts, zlib="1.2"):
    """A release's folder, as a maker's tools leave it."""
    maker = world.makers["acme"]
    image = demo_image("LX-1", version, size=5000)
    unsigned = make_release(
        image,
        vendor_id=maker.vendor_id,
        class_id=class_identifier(maker.vendor_id, "LX-1"),
        sequence_number=number,
        version=version,
    )
    signed = sign_release(unsigned, maker.release_keys)
    services = tuple(Service(Remote(RemoteKind.DNS_NAME, host), 6, 443) for host in hosts)
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "zlib", "version": zlib}]}
    files = {
        "image.bin": image,
        "sbom.cdx.json": json.dumps(bom).encode(),
        "mud.json": render(
            Description("https://acme.example/l.json", world.clock.utc(), "l", "Acme", "LX-1", services)
        ),
        "words.json": b'{"en": "Now with weather."}',
    }
    statement = Statement(signed.digest, {name: member(name, data) for name, data in files.items()})
    keys = [(profile.signer(key.public), key) for key in maker.release_keys]
    files |= {"release.suit": envelope.encode(signed), "statement.cose": sign_statement(statement, keys)}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return {"envelope": str(folder / "release.suit"), "image": str(folder / "image.bin"), "folder": str(folder)}


async def as_ben(world, operation, **arguments):
    table = operations(world.domain.controller)
    return await table.answer({"operation": operation, "arguments": arguments}, operator=BEN)


def test_a_release_that_grows_waits_for_a_second_person_and_then_reaches_things(tmp_path):
    async def story(world):
        first, second = await world.joined("A0001", "A0002")
        paths = brought(world, tmp_path, "1.1.0", 2, "weather.acme.example")
        refused = await world.domain.answer("release.publish", **paths)
        assert refused["error"]["kind"] == "HeldError"
        (row,) = await world.domain.ask("publication.list")
        own = await world.domain.answer("publication.approve", manifest=row["manifest"], reasons=row["reasons"])
        assert own["error"]["reason"] == "same"
        approved = await as_ben(world, "publication.approve", manifest=row["manifest"], reasons=row["reasons"])
        assert approved["result"]["version"] == "1.1.0"
        await world.until(lambda: all(one.agent.status()["version"] == "1.1.0" for one in (first, second)))
        causes = [(one.cause, one.actor) for one in world.domain.entries(Kind.RELEASE)]
        assert causes == [("held", "owner"), ("approved", "maintainer:ben")]

    play(story, policy=STRICT)


def test_what_becomes_known_cuts_off_the_things_that_run_it(tmp_path):
    async def story(world):
        await world.joined("A0001")
        assert "result" in await world.domain.answer("release.publish", **brought(world, tmp_path, "1.1.0", 2))
        software, thing = world.domain.controller.planes.software, world.domain.record("A0001").id
        await world.until(lambda: software.runs(thing).version == "1.1.0")
        package = {"name": "zlib", "ecosystem": "OSS-Fuzz"}
        known = {"package": package, "versions": ["1.2"], "ecosystem_specific": {"severity": "CRITICAL"}}
        (tmp_path / "x.json").write_text(json.dumps({"id": "X-1", "affected": [known]}))
        said = await world.domain.ask("osv.import", path=str(tmp_path / "x.json"))
        assert (said["quarantined"], said["tickets"]) == (1, 1)
        assert world.domain.record("A0001").restriction is Restriction.QUARANTINED
        (row,) = await world.domain.ask("osv.list")
        assert (row["id"], row["component"]) == ("X-1", "zlib 1.2")

    play(story, policy=STRICT)


@pytest.mark.requirement("R-89")
def test_a_known_hole_is_closed_in_one_command_for_all_that_have_it_as_long_as_they_do(tmp_path):
    async def story(world):
        await world.joined("A0001", "A0002")
        await world.domain.ask("release.publish", **brought(world, tmp_path, "1.1.0", 2))
        software, things = world.domain.controller.planes.software, [world.domain.record(f"A000{n}").id for n in (1, 2)]
        await world.until(lambda: all(software.runs(one).version == "1.1.0" for one in things))
        package = {"package": {"name": "zlib", "ecosystem": "OSS-Fuzz"}, "versions": ["1.2"]}
        known = {"id": "X-1", "aliases": ["CVE-2026-9"], "affected": [package]}
        records = tmp_path.with_suffix(".json")
        records.write_text(json.dumps(known))
        assert (await world.domain.ask("osv.import", path=str(records)))["quarantined"] == 0
        hole = {"cve": "cve-2026-9", "port": "80"}
        preview = await world.domain.ask("network.block", **hole, preview=True)
        assert (preview["things"], await world.domain.ask("network.rules")) == (2, [])
        rule = (await world.domain.ask("network.block", **hole))["rule"]
        assert rule == preview["rule"]
        await world.domain.ask("release.publish", **brought(world, tmp_path, "1.2.0", 3, zlib="1.3"))
        await world.until(lambda: all(software.runs(one).version == "1.2.0" for one in things))
        await world.sleep(61)
        (left,) = await world.domain.ask("network.rules")
        assert (left["rule"], left["about"]) == (rule, "who has cve-2026-9, 0 now")
        await world.domain.ask("network.revoke", rule=rule)
        assert await world.domain.ask("network.rules") == []

    play(story, policy=STRICT)


def test_without_all_of_it_nothing_is_offered(tmp_path):
    async def story(world):
        await world.joined("A0001")
        paths = brought(world, tmp_path, "1.1.0", 2)
        alone = await world.domain.answer("release.publish", envelope=paths["envelope"], image=paths["image"])
        assert alone["error"]["reason"] == "sbom-missing"
        (tmp_path / "mud.json").write_bytes(b"{}")
        other = await world.domain.answer("release.publish", **paths)
        assert other["error"]["reason"] == "member-digest"
        assert not await world.domain.ask("release.list")

    play(story, policy=STRICT)
