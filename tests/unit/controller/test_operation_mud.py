"""What people may ask about MUD URLs and names, and what is no answer to it."""

import asyncio
import base64
from dataclasses import replace

import pytest

from tests.unit.controller.mud_home import GONE, MAC, OTHER, STRANGER, THING, Home
from tests.unit.controller.planes import JumpingClock
from tests.unit.controller.test_network import ACME
from tests.unit.crypto.mud_certificate import AT, device_certificate, ia5
from tests.unit.planes.network.fakes import URL
from tests.unit.planes.network.test_learned_names import told
from tests.unit.protocols.mud.test_url import CODE
from tests.unit.protocols.mud.test_url import URL as LABELLED
from thingstead.controller.operation import Operations
from thingstead.controller.operation_mud import rows
from thingstead.crypto.authority import make_authority
from thingstead.domain.network import NO_MAC
from thingstead.protocols.mud.builder import Description, render

LEAF, ROOT = device_certificate(ia5(OTHER.encode()))


class Dated(JumpingClock):
    """At the time of the certificates."""

    def utc(self):
        return AT


class Desk:
    """Asks as the owner does."""

    def __init__(self, *authorities, devices=()):
        self.devices = devices
        self.home = Home()
        anchor = replace(ACME, maker=THING.maker, mud_authorities=authorities or (ROOT,))
        self.operations = Operations(
            *rows(
                self.home.intake,
                self.home.world.manager,
                self.home.house.register,
                anchors=lambda: (anchor, replace(ACME, maker="somebody")),
                devices=lambda _thing: self.devices,
                clock=Dated(),
            )
        )

    def ask(self, operation, **arguments):
        answer = asyncio.run(self.operations.answer({"operation": operation, "arguments": arguments}))
        assert "result" in answer, answer
        return answer["result"]

    def refused(self, operation, **arguments):
        return asyncio.run(self.operations.answer({"operation": operation, "arguments": arguments}))["error"]

    def hears(self, url=OTHER, mac=MAC):
        return self.ask("mud.heard", mac=mac.hex(":"), url=url)


def test_things_and_strangers_are_listed_with_who_says_so():
    desk = Desk()
    assert desk.hears() == {"mac": MAC.hex(":"), "waits": True}
    desk.hears(mac=STRANGER)
    thing, stranger = desk.ask("mud.urls")
    assert (thing["thing"], thing["mud_url"], thing["waiting"]) == (THING.id, URL, [f"{OTHER} by dhcpv4"])
    assert (stranger["thing"], stranger["mac"], stranger["mud_url"]) == (None, STRANGER.hex(":"), OTHER)


def test_a_review_is_decided_on_either_way():
    desk = Desk()
    desk.hears()
    assert [row["url"] for row in desk.ask("mud.review", thing=THING.id)] == [OTHER]
    assert desk.ask("mud.approve", thing=THING.id, url=OTHER)["mud_url"] == OTHER
    desk = Desk()
    desk.hears()
    assert desk.ask("mud.refuse", thing=THING.id, url=OTHER)["waiting"] == []
    assert desk.refused("mud.approve", thing=THING.id, url=OTHER)["reason"] == "no-review"


def test_asking_who_says_so_changes_nothing():
    told_of = Desk().ask("thing.mud", thing=THING.id)
    assert (told_of["mud_url"], told_of["source"]) == (URL, "credential")


@pytest.mark.spec("RFC 9238 3.1")
def test_the_owner_says_it_by_hand_or_by_a_label():
    assert Desk().ask("thing.mud", thing=THING.id, url=OTHER)["source"] == "owner"
    code = CODE.replace(LABELLED, OTHER)
    assert Desk().ask("thing.mud", thing=THING.id, code=code)["source"] == "label"


@pytest.mark.spec("RFC 8520 11")
def test_a_certificate_of_its_maker_says_it():
    given = base64.urlsafe_b64encode(LEAF).decode()
    found = Desk().ask("thing.mud", thing=THING.id, certificate=given)
    assert (found["mud_url"], found["source"]) == (OTHER, "certificate")


@pytest.mark.spec("RFC 8520 11")
def test_a_certificate_of_nobody_we_trust_for_that_thing_says_nothing():
    other = device_certificate(ia5(OTHER.encode()))[1]
    desk = Desk(other)
    error = desk.refused("thing.mud", thing=THING.id, certificate=base64.urlsafe_b64encode(LEAF).decode())
    assert error["kind"] == "UntrustedError"
    assert desk.ask("thing.mud", thing=THING.id)["mud_url"] == URL


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"url": "http://acme.example/a"}, "https"),
        ({"code": "hello"}, "https"),
        ({"url": OTHER, "code": OTHER}, "one of url and code"),
        ({"certificate": "AAAA"}, "X.509"),
        ({"certificate": "A"}, "certificate"),
        ({"url": GONE}, "can be had"),
    ],
)
def test_what_says_nothing_of_use_is_refused_and_changes_nothing(arguments, says):
    desk = Desk()
    assert says in desk.refused("thing.mud", thing=THING.id, **arguments)["message"]
    assert desk.ask("thing.mud", thing=THING.id)["mud_url"] == URL


@pytest.mark.spec("RFC 9238 3.2.5")
@pytest.mark.parametrize("devices", [(), (MAC, b"\x0a\x4d\x01\x01"), (NO_MAC, b"\x0a\x4d\x01\x01")])
def test_a_label_of_the_thing_or_of_one_whose_interface_nobody_knows_is_taken(devices):
    code = CODE.replace(LABELLED, f"{OTHER}\x1fM06C{MAC.hex().upper()}")
    assert Desk(devices=devices).ask("thing.mud", thing=THING.id, code=code)["mud_url"] == OTHER


@pytest.mark.spec("RFC 9238 3.2.5")
@pytest.mark.parametrize("devices", [(STRANGER,), (NO_MAC, STRANGER), (STRANGER, bytes(4))])
def test_the_label_of_another_device_is_refused_and_changes_nothing(devices):
    desk = Desk(devices=devices)
    code = CODE.replace(LABELLED, f"{OTHER}\x1fM06C{MAC.hex()}")
    assert desk.refused("thing.mud", thing=THING.id, code=code)["reason"] == "label"
    assert desk.ask("thing.mud", thing=THING.id)["mud_url"] == URL


def test_a_certificate_without_a_url_is_refused():
    at = {"not_before": AT.replace(year=2025), "not_after": AT.replace(year=2027)}
    der = make_authority("Maker", **at).certificate.der
    error = Desk().refused("thing.mud", thing=THING.id, certificate=base64.urlsafe_b64encode(der).decode())
    assert "got one without" in error["message"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"mac": "lamp"}, "MAC address"), ({"mac": "02:00"}, "six octets"), ({"carrier": "lldp"}, "carrier"),
     ({"url": "ftp://acme.example/"}, "https"), ({"carrier": "owner"}, "carrier")],
)  # fmt: skip
def test_a_hook_that_says_nonsense_is_refused(changes, says):
    desk = Desk()
    assert says in desk.refused("mud.heard", **{"mac": MAC.hex(":"), "url": OTHER, **changes})["message"]
    assert desk.ask("mud.urls")[0]["waiting"] == []


def test_names_are_shown_with_their_time():
    desk = Desk()
    desk.home.world.names._resolver = None
    asyncio.run(desk.home.world.manager.learn(told("198.51.100.7", asker="10.77.1.1")))
    (row,) = [one for one in desk.ask("network.names") if one["addresses"]]
    assert (row["name"], row["shared"]) == ("cloud.acme.example", "")
    assert "198.51.100.7 for 75 s" in row["addresses"]


def own(url=f"https://{THING.id}.invalid/learned.json"):
    return render(Description(url, AT, "Learned", "", "lamp", ())).decode()


@pytest.mark.requirement("R-81")
def test_a_file_that_the_owner_vouches_for_counts_and_the_makers_again_afterwards():
    desk = Desk()
    told_of = desk.ask("thing.mud", thing=THING.id, file=own())
    assert (told_of["mud_url"], told_of["source"]) == (f"https://{THING.id}.invalid/learned.json", "owner")
    assert desk.home.world.manager.file(told_of["mud_url"]) == own().encode()
    assert desk.ask("thing.mud", thing=THING.id, url=URL)["mud_url"] == URL


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"file": own(URL)}, "ConfigError"),
        ({"file": own("https://thing-bbbbbbbbbbbbbbbb.invalid/learned.json")}, "ConfigError"),
        ({"file": own("https://02-77-00-00-00-01.invalid/learned.json")}, "ConfigError"),
        ({"file": "{}"}, "DecodeError"),
        ({"file": " " * (1 << 18) + "{}"}, "ConfigError"),
        ({"file": own(), "url": OTHER}, "ConfigError"),
        ({"file": own(), "thing": "thing-bbbbbbbbbbbbbbbb"}, "ConfigError"),
    ],
)
def test_what_is_not_a_file_of_this_thing_alone_changes_nothing(changes, kind):
    desk = Desk()
    assert desk.refused("thing.mud", **{"thing": THING.id, **changes})["kind"] == kind
    assert desk.ask("thing.mud", thing=THING.id)["mud_url"] == URL
    assert desk.home.world.manager.file(f"https://{THING.id}.invalid/learned.json") is None
