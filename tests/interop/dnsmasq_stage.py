"""Run as a program: dnsmasq between two devices and a running domain; prints what was observed as one JSON object.

dnsmasq gives out addresses and is the resolver of the segment, as on many routers. Its hook tells the domain what
devices say of themselves, and it asks the domain for names, saying for whom.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import shlex
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute

from tests.port import free_port
from tests.unit.controller.name_stage import connects
from tests.unit.enforcement.stage import bound
from tests.unit.protocols.dhcp import messages
from tests.unit.transport.name_world import Zone, serving
from thingstead.analysis.traffic.proposal import learned_url
from thingstead.cli import main as cli
from thingstead.clock import SystemClock
from thingstead.controller.app import running
from thingstead.controller.controller import Controller
from thingstead.controller.directory import DomainDirectory
from thingstead.enforcement.namespace import Attachment, Site, inside
from thingstead.protocols.dns.message import Question, RecordType, decode, encode_query
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind

NAME = "cloud.acme.example"
_NODAD = 2
_SETTINGS = """
[coap]
host = "{host}"
port = 5683
[web]
enabled = false
[network]
enforcement = "nftables"
interfaces = ["{interface}"]
local = ["10.77.0.0/16", "fd77::/64"]
[names]
enabled = true
port = {port}
upstreams = ["127.0.0.1"]
upstream_port = {upstream}
forwarders = ["{host}"]
"""


def run(*words: object) -> tuple[int, str, str]:
    """A command of a user's."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main([str(word) for word in words])
    return code, out.getvalue(), err.getvalue()


class Segment:
    """A domain with two devices on its segment, and dnsmasq in front of it."""

    def __init__(self, folder: Path, dnsmasq: str) -> None:
        self.site = Site.create()
        self.lamp, self.plug, self.guest = (self.site.attach(number) for number in (1, 2, 3))
        self.zone = Zone((NAME, 60, "A", str(self.site.internet)))
        self.folder = folder
        self.dnsmasq = dnsmasq
        self.port = free_port()

    def settle(self, upstream: int) -> DomainDirectory:
        """Make the domain; `upstream` is whom it asks."""
        home = self.folder / "home"
        assert run("init", home, "--profile", "home")[0] == 0
        domain = DomainDirectory(home)
        host, interface = self.site.controller_ipv4, self.site.interface
        domain.configuration.write_text(
            _SETTINGS.format(host=host, interface=interface, port=self.port, upstream=upstream)
        )
        return domain

    async def ask(self, *words: object) -> Any:
        """What a command of the owner's shows."""
        code, out, err = await asyncio.to_thread(run, *words, "--domain", self.folder / "home", "--json")
        assert code == 0, out + err
        return json.loads(out)

    async def adopt(self, place: Attachment, name: str) -> str:
        """Take a device in, which may go to `NAME`."""
        service = Service(Remote(RemoteKind.DNS_NAME, NAME), 6, remote_port=443)
        path = self.folder / f"{name}.json"
        path.write_bytes(
            render(Description(learned_url(place.mac), SystemClock().utc(), "A lamp", "Acme", "LX-1", (service,)))
        )
        words = ("adopt", place.mac.hex(":"), "--ip", place.ipv4, "--model", name, "--mud", path)
        thing: str = (await self.ask(*words))["thing"]
        return thing

    @contextlib.asynccontextmanager
    async def serving(self) -> Any:
        """dnsmasq, until the end."""
        hook = self.folder / "hook"
        command = shlex.join([sys.executable, "-m", "thingstead", "mud", "hook", "--domain", str(self.folder / "home")])
        hook.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        hook.chmod(0o755)
        process = await asyncio.create_subprocess_exec(
            self.dnsmasq, "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--group=root", "--pid-file=",
            f"--interface={self.site.interface}", "--bind-interfaces", "--except-interface=lo", "--log-facility=-",
            "--no-resolv", "--no-hosts", f"--server=127.0.0.1#{self.port}", "--add-subnet=32,128", "--strip-subnet",
            "--dhcp-range=10.77.1.1,10.77.1.9,255.255.0.0,1h", "--dhcp-range=fd77::1:1,fd77::1:9,64,1h",
            *[f"--dhcp-host={one.mac.hex(':')},{one.ipv4}" for one in (self.lamp, self.plug, self.guest)],
            f"--dhcp-script={hook}", "--script-on-renewal", f"--dhcp-leasefile={self.folder / 'leases'}",
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        while b"started" not in await process.stderr.readline():
            pass
        try:
            yield
        finally:
            process.terminate()
            _, told = await process.communicate()
            print(told.decode(), file=sys.stderr)


async def asks(place: Attachment, *, as_if: Attachment | None = None) -> Any:
    """What dnsmasq says to a device, which may say that it asks for another one (RFC 7871 §6)."""
    query = encode_query(Question(NAME, RecordType.A), id=7)
    if as_if is not None:
        said = struct.pack("!HHHBB", 8, 8, 1, 32, 0) + as_if.ipv4.packed
        # The record at the end, which says how much is taken, says this too.
        query = query[:-2] + struct.pack("!H", len(said)) + said
    with inside(place.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
        client.setblocking(False)
        client.connect((str(Site.controller_ipv4), 53))
        client.send(query)
        async with asyncio.timeout(5):
            return decode(await asyncio.get_running_loop().sock_recv(client, 2048))


async def leases4(place: Attachment, url: bytes) -> None:
    """A device asks for an address, and says where its file is."""
    said = [messages.option4(161, url), messages.option4(50, place.ipv4.packed)]
    with inside(place.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 68)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.setblocking(False)
        for kind, more in ((1, b""), (3, messages.option4(54, Site.controller_ipv4.packed))):
            message = bytearray(messages.v4(messages.option4(53, bytes([kind])), *said, more, mac=place.mac))
            message[10] = 0x80  # the answer goes to everybody (RFC 2131 §2)
            client.sendto(bytes(message), ("255.255.255.255", 67))
            async with asyncio.timeout(5):
                await asyncio.get_running_loop().sock_recv(client, 2048)


async def leases6(place: Attachment, url: bytes) -> None:
    """The same by DHCPv6."""
    duid = messages.option6(1, b"\0\3\0\1" + place.mac)
    wanted = messages.option6(3, struct.pack("!III", 1, 0, 0))
    said = messages.option6(112, url)

    def opened() -> socket.socket:
        index = socket.if_nametoindex("eth0")
        with IPRoute() as route:
            # Clients ask from the link's own address; that of the kernel's making is still being asked about.
            route.addr("add", index=index, address="fe80::99", prefixlen=64, flags=_NODAD)
        made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        made.bind(("fe80::99", 546, 0, index))
        return made

    with inside(place.namespace, opened) as client:
        client.setblocking(False)
        server = b""
        for kind in (1, 3):
            client.sendto(messages.v6(duid, server, wanted, said, kind=kind), ("ff02::1:2", 547))
            async with asyncio.timeout(5):
                answer = await asyncio.get_running_loop().sock_recv(client, 2048)
            server = messages.option6(2, _option6(answer, 2))


def _option6(message: bytes, wanted: int) -> bytes:
    at = 4
    while at < len(message):
        code, size = struct.unpack("!HH", message[at : at + 4])
        if code == wanted:
            return message[at + 4 : at + 4 + size]
        at += 4 + size
    raise AssertionError(f"no option {wanted}")


async def until(said: Callable[[], Any]) -> Any:
    """What the hook, a program of its own, brings about."""
    async with asyncio.timeout(10):
        while not (found := await said()):  # noqa: ASYNC110  another program brings it about
            await asyncio.sleep(0.05)
    return found


async def observe(segment: Segment, controller: Controller, seen: dict[str, Any]) -> None:
    lamp, plug, guest = segment.lamp, segment.plug, segment.guest
    cloud = str(segment.site.internet)
    with inside(segment.site.outside, lambda: bound(socket.SOCK_STREAM, "0.0.0.0", 443)):
        things = {await segment.adopt(lamp, "lamp"): "lamp", await segment.adopt(plug, "plug"): "plug"}
        # It asks every five seconds where things are.
        controller.lookout.neighbourhood._next = 0.0
        seen["before it asked"] = connects(lamp, cloud)
        seen["told"] = [str(one) for one, _ in (await asks(lamp)).addresses()]
        seen["after it asked"] = connects(lamp, cloud)
        seen["the other, which did not"] = connects(plug, cloud)
        await asks(lamp, as_if=plug)
        seen["the other, in whose name it was asked"] = connects(plug, cloud)
        await asks(plug)
        seen["the other, after it asked"] = connects(plug, cloud)
        segment.zone.rows = ((NAME, 60, "A", "10.77.1.2"),)
        seen["told of a neighbour"] = [str(one) for one, _ in (await asks(lamp)).addresses()]
    await leases4(lamp, b"https://acme.example/four.json")
    await leases6(plug, b"https://acme.example/six.json")
    await leases4(guest, b"https://acme.example/guest.json")

    async def heard() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = await segment.ask("mud", "urls")
        return rows if len(rows) == 3 and sum(bool(row["waiting"]) for row in rows) == 2 else []

    seen["urls"] = [[things.get(row["thing"]), row["mac"], row["waiting"]] for row in await until(heard)]


async def main(folder: Path, dnsmasq: str) -> None:
    """All of it, once."""
    segment, seen = Segment(folder, dnsmasq), dict[str, Any]()
    async with serving(segment.zone) as upstream:
        domain = segment.settle(upstream)
        async with running(domain) as controller, segment.serving():
            await observe(segment, controller, seen)
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
