"""The network plane put together: a setting that cannot be obeyed is refused in a sentence, never half obeyed."""

import asyncio
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from tests.unit.planes.network.fakes import CLOUD, URL, described
from thingstead.controller.config import CoapConfig, ControllerConfig, NetworkConfig
from thingstead.controller.network import check, enforcement, fetcher, network_plane, resolver
from thingstead.controller.whereabouts import Whereabouts
from thingstead.crypto.authority import make_authority
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.plane import PlaneName, Standing
from thingstead.domain.ports import Fetched
from thingstead.enforcement import nftables
from thingstead.enforcement.dry_run import DryRun
from thingstead.errors import ConfigError, TransportError
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

THING = a_thing()
AUTHORITY = make_authority("acme MUD", not_before=AT - timedelta(days=1), not_after=AT + timedelta(days=1))


def anchor(maker, dns_name):
    key = generate(KeyType.P256).public
    return TrustAnchor(maker, key, (key,), bytes(16), (AUTHORITY.certificate.der,), dns_name)


ACME, BROOK = anchor("acme", "acme.example"), anchor("brook", "brook.example")


class Web:
    def __init__(self, body):
        self.body = body

    async def fetch(self, url, *, max_bytes):
        return Fetched(url, "application/mud+json", self.body)


def records(prefix):
    store = MemoryStore()
    return PlaneRecords(PlaneName.NETWORK, store, prefix=prefix)


def plane(network=None, *, coap=None, anchors=(ACME, BROOK), alarms=None, keeper=None):
    whereabouts = Whereabouts(records("place/"), mac_of=lambda _ip: bytes(6))
    asyncio.run(whereabouts.note(THING.id, "10.77.1.1"))
    settings = network or NetworkConfig(local=["10.77.0.0/16"], insecure_unsigned_mud=True)
    return network_plane(
        ControllerConfig(coap=coap or CoapConfig(host="10.77.0.1"), network=settings),
        lambda: anchors,
        keeper=keeper or DryRun("a test"),
        files=Web(described(CLOUD)),
        resolve=resolver(NetworkConfig(hosts={"cloud.acme.example": ["192.0.2.7"]})),
        records=records("mud/"),
        own=records("owner/"),
        learned=records("name/"),
        whereabouts=whereabouts,
        clock=JumpingClock(),
        alarm=([] if alarms is None else alarms).append,
    )


@pytest.mark.parametrize("enforcer", ["", "none", "Nftables", "iptables"])
def test_an_unknown_enforcer_is_refused(enforcer):
    with pytest.raises(ConfigError, match="enforcement is nftables or dry_run"):
        enforcement(NetworkConfig(enforcement=enforcer), coap_port=5683)


@pytest.mark.parametrize("prefix", ["home", "10.0.0.1/8", "10.0.0.0/33", "fd77::1/64", ""])
def test_a_prefix_that_is_none_is_refused_by_the_name_of_its_setting(prefix):
    with pytest.raises(ConfigError, match=r"\[network\] local"):
        enforcement(NetworkConfig(enforcement="nftables", interfaces=["lan0"], local=[prefix]), coap_port=5683)
    with pytest.raises(ConfigError, match=r"\[network\] local"):
        plane(NetworkConfig(local=[prefix]))
    with pytest.raises(ConfigError, match=r"\[network\] urn:ietf:params:mud:dns"):
        plane(NetworkConfig(controllers={"urn:ietf:params:mud:dns": [prefix]}))


@pytest.mark.parametrize(
    "interfaces",
    [[], [""], ['lan0"'], ["lan0\n"], ["lan 0"], ["lan*"], ["a" * 16], ["-lan0"], ["lan0", 'x"; accept; #']],
)
def test_a_name_that_could_be_more_than_the_name_of_an_interface_reaches_no_ruleset(interfaces, monkeypatch):
    told: list[Any] = []
    monkeypatch.setattr("thingstead.controller.network.Nftables", told.append)
    with pytest.raises(ConfigError, match=r"\[network\] interfaces"):
        enforcement(NetworkConfig(enforcement="nftables", interfaces=interfaces), coap_port=5683)
    assert told == []


@pytest.mark.parametrize("host", ["localhost", "10.77.0.0/16", ""])
def test_an_endpoint_that_is_no_address_is_refused_in_a_sentence(host):
    with pytest.raises(ConfigError, match=r"\[coap\] host"):
        plane(coap=CoapConfig(host=host))


@pytest.mark.parametrize(
    "settings",
    [
        {"enforcement": "maybe"},
        {"enforcement": "nftables"},
        {"local": ["site"]},
        {"controllers": {"urn:a": ["b"]}},
        {"hosts": {"mud.example": ["c"]}},
        {"mud_ca": "absent.pem"},
    ],
)
def test_a_check_refuses_what_the_plane_would_and_touches_no_kernel(settings, tmp_path):
    with pytest.raises(ConfigError):
        check(NetworkConfig(**settings), root=tmp_path)
    check(NetworkConfig(enforcement="nftables", interfaces=["br0"], local=["10.0.0.0/8"]), root=tmp_path)


def test_authorities_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(ConfigError):
        fetcher(NetworkConfig(mud_ca="absent.pem"), root=tmp_path)


def test_who_may_not_ask_a_resolver_knows_only_what_the_owner_said():
    said = resolver(NetworkConfig(hosts={"mud.acme.example": ["192.0.2.7"]}, offline=True))
    assert asyncio.run(said.resolve("mud.acme.example")).addresses
    with pytest.raises(TransportError):
        asyncio.run(said.resolve("cloud.acme.example"))


def test_a_dry_run_says_that_nobody_keeps_its_rules():
    assert isinstance(enforcement(NetworkConfig(), coap_port=5683), DryRun)


def test_the_kernel_is_told_where_things_live_and_where_strangers_may_knock(monkeypatch):
    told: list[Any] = []
    monkeypatch.setattr("thingstead.controller.network.Nftables", told.append)
    config = NetworkConfig(enforcement="nftables", interfaces=["lan0"], local=["10.77.0.0/16"])
    enforcement(config, coap_port=5783)
    doors = (("udp", 5783), ("udp", 67), ("udp", 547))
    assert told == [nftables.NftablesConfig(("lan0",), (ip_network("10.77.0.0/16"),), doors)]
    enforcement(config, coap_port=5783, ddi_port=8443)
    assert told[1].onboarding == (("udp", 5783), ("tcp", 8443), ("udp", 67), ("udp", 547))


def test_the_kernel_is_told_of_helpers_by_group_and_port_and_whether_ports_are_held(monkeypatch):
    told: list[Any] = []
    monkeypatch.setattr("thingstead.controller.network.Nftables", told.append)
    config = NetworkConfig(enforcement="nftables", interfaces=["lan0"], helpers=["mdns"], hold_ports=True)
    enforcement(config, coap_port=5783)
    assert told[0].helpers == ((ip_address("224.0.0.251"), 5353), (ip_address("ff02::fb"), 5353))
    assert told[0].hold_ports is True


@pytest.mark.parametrize("helpers", [["casting"], ["mdns", "MDNS"], [""], ["224.0.0.251"]])
def test_a_helper_that_nobody_knows_is_refused_before_anything_is_opened(helpers):
    with pytest.raises(ConfigError, match="expected mdns and ssdp"):
        enforcement(NetworkConfig(enforcement="nftables", interfaces=["lan0"], helpers=helpers), coap_port=5783)


def test_files_are_fetched_under_the_authorities_of_the_settings(tmp_path):
    (tmp_path / "ca.pem").write_bytes(AUTHORITY.chain_pem)
    assert fetcher(NetworkConfig(mud_ca="ca.pem"), root=tmp_path) is not None
    assert fetcher(NetworkConfig(), root=tmp_path) is not None


def test_no_maker_speaks_for_another_and_an_unsigned_file_is_not_taken():
    for anchors in ((), (BROOK,), (ACME,)):
        alarms: list[Any] = []
        manager = plane(NetworkConfig(local=["10.77.0.0/16"]), anchors=anchors, alarms=alarms)
        asyncio.run(manager.admit(THING, cause="joined", transition_id=THING.transition_id))
        (alarm,) = alarms
        assert URL in alarm.detail


class Keeper(DryRun):
    """Remembers what it was told to keep."""

    def __init__(self):
        super().__init__("a test")
        self.told = ""

    async def apply(self, change):
        self.told += repr(change)
        return await super().apply(change)


def test_an_admitted_thing_has_its_way_to_the_controller_and_to_its_own_cloud():
    keeper = Keeper()
    manager = plane(keeper=keeper)
    asyncio.run(manager.admit(THING, cause="joined", transition_id=THING.transition_id))
    assert "10.77.0.1/32" in keeper.told
    assert "192.0.2.7/32" in keeper.told
    assert asyncio.run(manager.probe(THING)).standing is not Standing.REFUSED
