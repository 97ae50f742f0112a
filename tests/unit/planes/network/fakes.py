"""The network plane's surroundings, in memory."""

import asyncio
from datetime import timedelta
from ipaddress import ip_address, ip_network

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.domain.name import Holder
from thingstead.domain.network import ThingAddress, Traffic
from thingstead.domain.ports import Fetched, Resolution
from thingstead.enforcement.dry_run import DryRun
from thingstead.errors import TransportError
from thingstead.planes.network.alarm import Alarm
from thingstead.planes.network.mud_library import MudLibrary
from thingstead.planes.network.mud_manager import MudManager
from thingstead.planes.network.name_table import NameTable
from thingstead.planes.network.overlay import Overlay
from thingstead.planes.network.rule_book import SiteMap
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Direction, PortRange, Remote, RemoteKind
from thingstead.protocols.mud.rule import DNS_CLASS, Rule
from thingstead.protocols.mud.signature import AdmissionPolicy

URL = a_thing().mud_url
LOCAL = (ip_network("10.77.0.0/16"), ip_network("fd77::/64"))
CONTROLLER = (ip_network("10.77.0.1/32"),)
BASELINE = (
    Rule(Direction.FROM_DEVICE, 4, 17, Remote(RemoteKind.MY_CONTROLLER), PortRange(5683, 5683)),
    Rule(Direction.TO_DEVICE, 4, 17, Remote(RemoteKind.MY_CONTROLLER), device_ports=PortRange(5683, 5683)),
)
CLOUD = Service(Remote(RemoteKind.DNS_NAME, "cloud.acme.example"), 6, remote_port=443)
PEERS = Service(Remote(RemoteKind.SAME_MANUFACTURER), 17, remote_port=7777)


def holder(name):
    """As if every registry sold names right under its own, and one company let names under its."""
    last = name.split(".")[-3:]
    return Holder(".".join(last), "cdn.invalid") if last[1:] == ["cdn", "invalid"] else Holder(".".join(last[-2:]))


def described(*services, url=URL, at=None):
    return render(Description(url, at or JumpingClock().utc(), "A lamp", "Acme", "LX-1", services)).replace(
        f',\n    "mud-signature": "{url}.p7s"'.encode(), b""
    )


class Web:
    def __init__(self, pages):
        self.pages = pages
        self.asked = []

    async def fetch(self, url, *, max_bytes):
        self.asked.append(url)
        await asyncio.sleep(0)  # others get their turn, as they do while a network answers
        if url not in self.pages:
            raise TransportError(f"{url} is not there")
        return Fetched(url, "application/mud+json", self.pages[url])


class Dns:
    def __init__(self, **names):
        self.names = {name.replace("_", "."): answer for name, answer in names.items()}
        self.asked = []

    async def resolve(self, name):
        self.asked.append(name)
        if name not in self.names:
            raise TransportError("no such name")
        addresses, ttl = self.names[name]
        return Resolution(name, addresses, ttl)


class Shelf:
    def __init__(self):
        self.documents = {}

    def load(self):
        return dict(self.documents)

    async def write(self, changes, *, entries=()):
        for key, document in changes.items():
            if document is None:
                self.documents.pop(key, None)
            else:
                self.documents[key] = document


class Kernel(DryRun):
    """Like a dry run, but open to look into, and with counters that a test sets."""

    def __init__(self):
        super().__init__("a test")
        self.traffic: tuple[Traffic, ...] = ()
        self.applied = []

    async def apply(self, change):
        self.applied.append(change)
        return await super().apply(change)

    async def counters(self):
        return self.traffic

    def rules(self, thing):
        """Remote, protocol and port of each rule that the thing opens."""
        change = self._changes[thing]
        return {(str(rule.remote), rule.protocol, rule.remote_ports[0]) for rule in change.rules or () if rule.outbound}


class World:
    """A manager and everything around it."""

    def __init__(
        self,
        *services,
        pages=None,
        policy_of=None,
        records=None,
        clock=None,
        kernel=None,
        learns=False,
        own=None,
        learn=timedelta(),
        at_once=250,
        **names,
    ):
        self.clock = clock or JumpingClock()
        self.web = Web({URL: described(*services)} if pages is None else pages)
        self.dns = Dns(**(names or {"cloud_acme_example": (("198.51.100.7", "2001:db8::7"), 60)}))
        self.records = records or Shelf()
        self.kernel = Kernel()
        self.own = own or Shelf()
        self.alarms: list[Alarm] = []
        self.placed = {}
        policy = AdmissionPolicy("lab", insecure_unsigned=True)
        self.library = MudLibrary(
            self.web,
            self.records,
            policy_of=policy_of or (lambda _url: policy),
            clock=self.clock,
            alarm=self.alarms.append,
        )
        resolver = None if learns else self.dns
        self.names = NameTable(resolver, inside=LOCAL, clock=self.clock, holder=holder, alarm=self.alarms.append)
        self.manager = MudManager(
            self.library,
            self.names,
            enforcement=kernel or self.kernel,
            site=SiteMap(LOCAL, CONTROLLER, {DNS_CLASS: CONTROLLER}, BASELINE, learn=learn),
            overlay=Overlay(self.own, local=LOCAL, controller=CONTROLLER, baseline=BASELINE),
            at_once=at_once,
            locate=self.locate,
            clock=self.clock,
            alarm=self.alarms.append,
        )

    def locate(self, thing):
        number = self.placed.setdefault(thing, len(self.placed) + 1)
        return (ThingAddress(number.to_bytes(6, "big"), ip_address(f"10.77.1.{number}")),)

    async def admit(self, thing):
        return await self.manager.admit(thing, cause="test", transition_id=thing.transition_id)

    async def restrict(self, thing):
        return await self.manager.restrict(thing, cause="test", transition_id=thing.transition_id)

    async def withdraw(self, thing):
        return await self.manager.withdraw(thing, cause="test", transition_id=thing.transition_id)
