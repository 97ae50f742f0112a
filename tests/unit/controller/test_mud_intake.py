"""What devices say of their MUD file changes nothing; what the owner decides on is here before it counts."""

import asyncio

import pytest

from tests.unit.controller.mud_home import GONE, MAC, OTHER, RELAY, STRANGER, THING, Home
from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import URL
from tests.unit.protocols.dhcp.messages import option4, v4
from tests.unit.protocols.mud.test_announcement import over_ipv4, over_lldp
from thingstead.controller.mud_intake import Limits
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.mud_claim import ClaimSource
from thingstead.errors import PolicyError, StorageError, TransportError
from thingstead.identifier import ThingId
from thingstead.protocols.packet.packet import decode_frame
from thingstead.storage.memory import MemoryStore

PEERS_RULE = ("10.77.1.1/32", 17, 7777)


def run(story):
    return asyncio.run(story)


def heard(home, source=ClaimSource.DHCPV4, url=OTHER, who=MAC):
    return run(home.intake.hear(who, source, url))


def packet(frame):
    return decode_frame(frame, at=0.0)


@pytest.mark.spec("RFC 8520 16")
@pytest.mark.requirement("R-80")
@pytest.mark.parametrize("source", [ClaimSource.DHCPV4, ClaimSource.DHCPV6, ClaimSource.LLDP, ClaimSource.CREDENTIAL])
def test_another_url_waits_is_on_the_ledger_and_changes_nothing(source):
    home = Home()
    before = len(home.world.kernel.applied)
    assert heard(home, source)
    assert (home.thing().mud_url, home.waiting()) == (URL, [(source.value, OTHER)])
    assert len(home.world.kernel.applied) == before
    entry = home.house.entries(Kind.NETWORK_POLICY)[-1]
    assert (entry.cause, entry.details) == ("mud-url-waits", {"url": OTHER, "before": URL, "source": source.value})
    assert OTHER not in home.world.web.asked


def test_trust_differs_by_source_and_is_shown():
    home = Home()
    heard(home)
    told = home.told()
    assert (told["source"], told["trust"]) == ("credential", "signed by its maker, in the credential it joined with")
    assert "link-layer address" in told["waiting"][0]["trust"]


def test_the_url_that_counts_already_is_nothing_to_decide_on():
    home = Home()
    assert not heard(home, url=URL)
    assert (home.waiting(), home.house.entries(Kind.NETWORK_POLICY)) == ([], [])


def test_the_same_word_again_is_told_once_also_after_a_restart():
    home = Home()
    assert heard(home)
    assert not heard(home)
    assert not heard(home.restart())
    assert home.waiting() == [("dhcpv4", OTHER)]
    assert len(home.house.entries(Kind.NETWORK_POLICY)) == 1


def test_what_is_approved_is_in_the_record_and_in_force():
    home = Home()
    heard(home)
    changed = run(home.intake.approve(THING.id, OTHER, by="owner"))
    assert changed.mud_url == home.thing().mud_url == OTHER
    assert (home.waiting(), home.told()["source"]) == ([], "dhcpv4")
    rules = home.world.manager.rules_of(changed)
    assert rules is not None
    assert rules.url == OTHER
    assert home.house.entries(Kind.NETWORK_POLICY)[-1].actor == "owner"
    assert not heard(home, ClaimSource.CREDENTIAL, URL), "what it came with is no news"


def test_what_waits_is_shown_with_what_it_would_allow():
    home = Home()
    heard(home)
    (row,) = run(home.intake.review(THING.id))
    assert (row["url"], row["less"]) == (OTHER, [])
    assert [rule for rule in row["more"] if "7777" in rule]
    assert home.thing().mud_url == URL


@pytest.mark.requirement("R-80")
def test_a_file_that_cannot_be_had_is_not_approved_and_the_old_one_stays():
    home = Home()
    heard(home, url=GONE)
    before = len(home.world.kernel.applied)
    for attempt in (home.intake.approve(THING.id, GONE, by="owner"), home.intake.review(THING.id)):
        with pytest.raises(TransportError, match="can be had"):
            run(attempt)
    assert (home.thing().mud_url, home.waiting()) == (URL, [("dhcpv4", GONE)])
    assert len(home.world.kernel.applied) == before


def test_what_is_refused_waits_no_more_and_its_source_is_not_asked_again():
    home = Home()
    heard(home)
    run(home.intake.refuse(THING.id, OTHER, by="owner"))
    assert (home.thing().mud_url, home.waiting()) == (URL, [])
    assert not heard(home.restart())


def test_nobody_approves_another_url_than_the_one_that_waits():
    home = Home()
    heard(home)
    for attempt in (home.intake.approve(THING.id, GONE, by="owner"), home.intake.refuse(THING.id, URL, by="owner")):
        with pytest.raises(PolicyError, match="nothing waits"):
            run(attempt)


def test_what_the_owner_says_counts_at_once():
    home = Home()
    run(home.intake.say(THING.id, ClaimSource.LABEL, OTHER, by="owner"))
    assert (home.thing().mud_url, home.told()["source"]) == (OTHER, "label")
    assert home.told()["trust"].startswith("read by you off a label")


def test_saying_again_what_counts_changes_its_source_and_not_its_record():
    home = Home()
    version = home.thing().version
    run(home.intake.say(THING.id, ClaimSource.OWNER, URL, by="owner"))
    assert (home.thing().version, home.told()["source"]) == (version, "credential")


def test_a_thing_that_is_cut_off_stays_so():
    home = Home()
    heard(home)
    run(home.house.conductor.restrict(THING.id, Restriction.QUARANTINED, actor="owner", cause="test"))
    before = len(home.world.kernel.applied)
    run(home.intake.approve(THING.id, OTHER, by="owner"))
    assert (home.thing().mud_url, len(home.world.kernel.applied)) == (OTHER, before)


def test_packets_are_heard_at_the_next_look():
    home = Home()
    home.intake.see(packet(over_ipv4(v4(option4(161, OTHER.encode()), mac=MAC), source=MAC)))
    assert home.waiting() == []
    run(home.intake.look())
    assert home.waiting() == [("dhcpv4", OTHER)]


def test_a_credential_is_heard_at_the_next_look_and_an_empty_one_is_not():
    home = Home()
    home.intake.note(THING.id, "")
    home.intake.note(THING.id, OTHER)
    run(home.intake.look())
    assert home.waiting() == [("credential", OTHER)]


def test_packets_that_say_nothing_of_it_or_lie_are_passed_over():
    home = Home()
    home.intake.see(packet(over_ipv4(v4(mac=MAC), source=MAC)))
    home.intake.see(packet(over_ipv4(v4(option4(161, OTHER.encode()), mac=MAC), source=STRANGER)))
    home.intake.see(packet(over_lldp(b"http://acme.example/", source=MAC)))
    run(home.intake.look())
    assert (home.waiting(), home.intake.refused) == ([], 2)


@pytest.mark.spec("RFC 8520 16")
@pytest.mark.parametrize(("sender", "waits"), [(RELAY, [("dhcpv4", OTHER)]), (STRANGER, [])])
def test_a_relay_speaks_for_another_only_where_the_owner_named_it(sender, waits):
    home = Home()
    said = v4(option4(161, OTHER.encode()), mac=MAC, relay=b"\x0a\0\0\1")
    home.intake.see(packet(over_ipv4(said, source=sender)))
    run(home.intake.look())
    assert (home.waiting(), home.intake.refused) == (waits, int(not waits))


def test_who_announces_much_pushes_out_no_credential():
    home = Home(limits=Limits(heard=2))
    home.intake.note(THING.id, OTHER)
    for number in range(5):
        home.intake.see(packet(over_lldp(URL.encode(), source=bytes([2, 0, 0, 0, 1, number]))))
    run(home.intake.look())
    assert (home.waiting(), len(home.intake.strangers())) == ([("credential", OTHER)], 1)


def test_a_device_that_is_no_thing_is_shown_and_not_kept():
    home = Home()
    assert not heard(home, who=STRANGER)
    (row,) = home.intake.strangers()
    assert (row["mac"], row["mud_url"], row["source"]) == ("02:00:00:00:00:ee", OTHER, "dhcpv4")
    assert home.restart().intake.strangers() == []


def test_what_a_device_said_before_it_was_taken_in_waits_from_then_on():
    home = Home(mac=bytes.fromhex("020000000099"))
    heard(home)
    assert (home.waiting(), len(home.intake.strangers())) == ([], 1)
    home.mac = MAC
    run(home.intake.look())
    assert (home.waiting(), home.intake.strangers()) == ([("dhcpv4", OTHER)], [])


def test_invented_devices_and_floods_of_announcements_are_bounded():
    home = Home(limits=Limits(heard=2, strangers=2))
    for number in range(5):
        heard(home, who=bytes([2, 0, 0, 0, 0, number]), url=f"https://acme.example/{number}")
        home.intake.see(packet(over_lldp(OTHER.encode(), source=bytes([2, 0, 0, 0, 1, number]))))
    assert [row["mac"][-2:] for row in home.intake.strangers()] == ["03", "04"]
    run(home.intake.look())
    assert len(home.intake.strangers()) == 2


def test_a_thing_without_a_url_has_nobody_s_word():
    home = Home(a_thing(mud_url=""))
    told = home.told()
    assert (told["source"], told["mud_url"], told["trust"]) == (None, "", "nobody says where its file is")
    assert heard(home)


def test_a_thing_that_is_not_ours_is_refused():
    home = Home()
    with pytest.raises(Exception, match="thing"):
        home.intake.told_of(ThingId("thing-bbbbbbbbbbbbbbbb"))


class FullDisk(MemoryStore):
    """Refuses while it is told to."""

    full = False

    async def commit(self, unit):
        if self.full:
            raise StorageError("full")
        return await super().commit(unit)


def test_what_could_not_be_kept_is_heard_again():
    disk = FullDisk()
    home = Home(store=disk)
    home.intake.note(THING.id, OTHER)
    disk.full = True
    with pytest.raises(StorageError):
        run(home.intake.look())
    assert home.waiting() == []
    disk.full = False
    run(home.intake.look())
    assert home.waiting() == [("credential", OTHER)]


def test_what_the_enforcer_refused_is_put_in_force_by_saying_it_again(monkeypatch):
    home = Home()

    async def refuse(_change):
        raise TransportError("the enforcer is gone")

    with monkeypatch.context() as broken:
        broken.setattr(home.world.kernel, "apply", refuse)
        with pytest.raises(TransportError, match="enforcer"):
            run(home.intake.say(THING.id, ClaimSource.OWNER, OTHER, by="owner"))
    assert home.thing().mud_url == OTHER
    before = len(home.world.kernel.applied)
    run(home.intake.say(THING.id, ClaimSource.OWNER, OTHER, by="owner"))
    assert len(home.world.kernel.applied) > before
