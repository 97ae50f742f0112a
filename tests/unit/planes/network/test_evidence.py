import asyncio

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import CLOUD, URL, World, described
from tests.unit.planes.network.test_mud_library import refreshed, signed_pages
from thingstead.domain.plane import Demand, PlaneName
from thingstead.planes.network.evidence import assets, expiries, findings
from thingstead.planes.network.findings import CONTROLS, LEARNED
from thingstead.planes.network.residents import Resident, Residents

THING = a_thing()


def known(demand=Demand.ADMIT):
    world, residents = World(CLOUD), Residents()
    asyncio.run(world.library.renew([URL]))
    residents.put(Resident(THING, (), demand))
    return world.library, residents


def found(question, mode="nftables", **kwargs):
    return findings(question, *known(**kwargs), mode=mode, packets_refused=7)


@pytest.mark.parametrize("question", sorted(CONTROLS.keys() - {LEARNED}))
def test_a_question_is_shown_by_rules_that_the_kernel_keeps(question):
    (finding,) = found(question)
    assert finding.holds
    assert (finding.question, finding.plane) == (question, PlaneName.NETWORK)
    assert finding.evidence.startswith("1 things under rules, 1 by a MUD file of their maker, 0 by one of the owner's")
    assert finding.evidence.endswith("7 packets refused")


@pytest.mark.parametrize("kwargs", [{"mode": "dry_run"}, {"mode": "nobody yet"}, {"demand": Demand.RESTRICT}])
def test_nothing_is_shown_by_rules_that_nobody_keeps_or_that_are_nobodys(kwargs):
    assert not any(one.holds for question in CONTROLS for one in found(question, **kwargs))


def test_a_makers_file_does_not_show_that_one_was_learned():
    (finding,) = found(LEARNED)
    assert not finding.holds


def test_a_question_about_something_else_is_not_answered():
    assert found("R-01") == ()


def test_a_file_without_a_signer_runs_out_and_is_no_certificate():
    library, residents = known()
    (expiry,) = expiries(library, residents)
    assert (expiry.what, expiry.strands, expiry.plane) == (f"MUD file {URL}", (THING.id,), PlaneName.NETWORK)
    assert assets(library, residents) == []


def test_who_signs_runs_out_beside_the_file_and_is_an_asset():
    library, residents = refreshed(signed_pages()).library, known()[1]
    assert [one.what for one in expiries(library, residents)] == [
        f"MUD file {URL}",
        f"signer of MUD file {URL}: CN=Acme files",
    ]
    (asset,) = assets(library, residents)
    assert (asset.name, asset.things) == (f"signer of MUD file {URL}", (THING.id,))


def test_a_file_of_the_owners_shows_that_one_was_learned_and_never_runs_out():
    own = "https://learned.invalid/lamp.json"
    world, residents = World(CLOUD), Residents()
    asyncio.run(world.library.vouch(described(CLOUD, url=own)))
    residents.put(Resident(a_thing(mud_url=own), (), Demand.ADMIT))
    (finding,) = findings(LEARNED, world.library, residents, mode="nftables", packets_refused=0)
    assert finding.holds
    assert expiries(world.library, residents) == ()
