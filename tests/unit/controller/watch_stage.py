"""Two things on a bridge under real rules, seen by the detectors; what they tell bars them. One line of JSON."""

import asyncio
import json
import socket
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.analysis.detectors.detector import Detection
from thingstead.controller.traffic_watch import Surroundings, TrafficWatch
from thingstead.domain.network import FlowRule, NetworkChange, ThingAddress
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit
from thingstead.enforcement.link import ports_of
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.storage.memory import MemoryStore
from thingstead.transport.packet_tap import PacketTap

LAMP, WORM, LIAR = a_thing(1), a_thing(2), a_thing(3)
COAP, UDP = 5683, 17


class Stage:
    def __init__(self, site):
        self.site, self.clock = site, JumpingClock()
        self.kernel = Nftables(NftablesConfig((site.interface,), site.networks))
        self.at = {one.id: site.attach(number) for number, one in enumerate((LAMP, WORM, LIAR), start=1)}
        self.told: list[Detection] = []
        self.refused: dict[str, int] = {}
        store = MemoryStore()
        register = Register(store.load())
        store.listen(register.follow)
        self.begun = store.commit(Unit(things=(LAMP, WORM, LIAR)))
        places = {thing: (ThingAddress(place.mac, place.ipv4),) for thing, place in self.at.items()}
        surroundings = Surroundings(
            register, lambda: places, interval=lambda _thing: None, longest=timedelta(hours=1), local=site.networks
        )
        tap = PacketTap([site.interface], ports_of=ports_of)
        self.watch = TrafficWatch(tap, surroundings, alarm=self.alarm, clock=self.clock)

    def change(self, thing):
        place = self.at[thing]
        here = ip_network(str(self.site.controller_ipv4))
        addresses = (ThingAddress(place.mac, place.ipv4), ThingAddress(place.mac, place.ipv6))
        return NetworkChange(thing, addresses, frozenset({FlowRule(True, here, UDP, (COAP, COAP))}))

    async def alarm(self, detection):
        self.told.append(detection)
        if detection.thing is not None:
            self.refused[detection.thing] = await self.counted(detection.thing)
            await self.kernel.apply(replace(self.change(detection.thing), barred=True))

    def connects(self, thing, address, port):
        def attempt():
            with socket.socket() as client:
                client.setblocking(False)
                with suppress(BlockingIOError):
                    client.connect((address, port))

        inside(self.at[thing].namespace, attempt)

    def claims(self, thing, address):
        """An answer to a question that nobody asked: an address of another is here."""
        own = self.at[thing].mac
        body = bytes.fromhex("0001080006040002") + own + socket.inet_aton(address) + b"\xff" * 6 + bytes(4)

        def send():
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
                sock.bind(("eth0", 0))
                sock.send(b"\xff" * 6 + own + b"\x08\x06" + body)

        inside(self.at[thing].namespace, send)

    def forges(self, thing, victim, count):
        """Somebody asks so many hosts for a log-in under both addresses of another thing."""
        there = self.at[victim]

        def send():
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
                sock.bind(("eth0", 0))
                for number in range(count):
                    ends = there.ipv4.packed + bytes([198, 51, 100, 20 + number])
                    header = bytes.fromhex("450000280000000040060000") + ends
                    tcp = bytes.fromhex("9c400017") + bytes(8) + bytes.fromhex("5002") + bytes(6)
                    sock.send(b"\xff" * 6 + there.mac + b"\x08\x00" + header + tcp)

        inside(self.at[thing].namespace, send)

    async def settle(self):
        """Frames are taken, and what is told is answered."""
        for _ in range(3):
            await asyncio.sleep(0)
        await self.watch.look()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await self.watch.answer()

    async def counted(self, thing):
        return {one.thing: one.refused for one in await self.kernel.counters()}[thing]


async def main(site):
    stage = Stage(site)
    seen: dict[str, object] = {}
    await stage.begun
    for thing in stage.at:
        await stage.kernel.apply(stage.change(thing))
    stage.watch.begin()
    stage.connects(WORM.id, "198.51.100.2", 80)
    await stage.settle()
    stage.watch.verify(WORM.id)
    stage.forges(LIAR.id, WORM.id, 30)
    await stage.settle()
    seen["forged"] = [[one.detector, one.thing, one.device[6:].decode()] for one in stage.told]
    seen["ports"] = ports_of(site.interface)
    seen["victim barred"] = (await stage.kernel.standing(WORM.id)).barred
    stage.told.clear()
    stage.connects(LAMP.id, "198.51.100.2", 80)
    await stage.settle()
    stage.clock.seconds += 300
    stage.watch.note(LAMP.id)
    for _ in range(4):
        stage.clock.seconds += 70
        stage.connects(LAMP.id, "198.51.100.9", 443)
        await stage.settle()
    seen["lamp"] = [[one.detector, one.thing == LAMP.id, one.subject] for one in stage.told]
    seen["lamp refused"] = stage.refused[LAMP.id]
    seen["lamp barred"] = (await stage.kernel.standing(LAMP.id)).barred
    stage.told.clear()
    for number in range(1, 31):
        stage.connects(WORM.id, f"198.51.100.{number + 20}", 23)
    await stage.settle()
    seen["worm"] = [[one.detector, one.thing == WORM.id, one.subject] for one in stage.told]
    seen["worm barred"] = (await stage.kernel.standing(WORM.id)).barred
    stage.told.clear()
    stage.claims(LIAR.id, str(site.controller_ipv4))
    await stage.settle()
    seen["liar"] = [[one.detector, one.thing == LIAR.id, one.subject] for one in stage.told]
    seen["liar barred"] = (await stage.kernel.standing(LIAR.id)).barred
    stage.watch.close()
    print(json.dumps(seen))


if __name__ == "__main__":
    made = Site.create()
    asyncio.run(main(made))
