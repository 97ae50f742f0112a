"""The world of a demo: two makers, three types of things, one domain, and files for all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

from thingstead.controller.composition import domain_credential
from thingstead.controller.directory import DomainDirectory
from thingstead.crypto.authority import make_authority, make_server
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain import anchor as anchor_file
from thingstead.enforcement.namespace import Site
from thingstead.errors import ConfigError
from thingstead.phases.manufacture import Model
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind
from thingstead.simulator.factory import MakerDirectory, bear_thing, make_maker
from thingstead.simulator.outside import ALLOWED_PORT
from thingstead.storage.directory import private_directory, write_whole

__all__ = ["LAMPS", "MAKERS", "BornThing", "Scenery", "mud_files", "prepare"]

_TCP = 6
_SUPPORT_YEARS = 8


@dataclass(frozen=True, slots=True)
class _Type:
    maker: str
    model: str
    constrained_class: int
    scope: str


_TYPES = {
    "lamp": _Type("aurora", "A-Lamp", 1, "lamp"),
    "meter": _Type("aurora", "A-Meter", 2, "sensor"),
    "sensor": _Type("borealis", "B-Climate", 1, "sensor"),
}
MAKERS = {"aurora": "aurora.example", "borealis": "borealis.example"}
"""Names of the makers and their DNS names; example names, which nobody owns."""

LAMPS = 3
"""Things that are lamps, at most; the others are sensors, of which there is always one, and meters in turn."""


@dataclass(frozen=True, slots=True)
class BornThing:
    """A thing on disk.

    Attributes:
        index: 1 and on; its place in the network.
        kind: lamp, meter or sensor.
        maker: who made it.
        model: what it is.
        serial: its number.
        home: its state directory.
    """

    index: int
    kind: str
    maker: str
    model: str
    serial: str
    home: Path


@dataclass(frozen=True, slots=True)
class Scenery:
    """Everything that is on disk before the first process starts.

    Attributes:
        root: the directory that holds it all.
        domain: the domain.
        makers: by name.
        things: in order of their index.
    """

    root: Path
    domain: DomainDirectory
    makers: Mapping[str, MakerDirectory]
    things: tuple[BornThing, ...]


def prepare(
    root: Path, *, things: int, site: Site | None, coap: tuple[str, int], mud_ports: Mapping[str, int], at: datetime
) -> Scenery:
    """Found makers and domain, and give birth to the things.

    Args:
        root: an empty directory.
        things: how many.
        site: where rules are in force; None for a dry run, which says so.
        coap: address of the domain's endpoint.
        mud_ports: where each maker serves its MUD files, on loopback.
        at: now.
    """
    makers = {name: make_maker(root / "makers" / name, name=name, domain=dns, at=at) for name, dns in MAKERS.items()}
    domain = DomainDirectory(root / "domain")
    domain.create(settings=_settings(site, coap), policy=_POLICY)
    for maker in makers.values():
        domain.trust_maker(anchor_file.decode(maker.anchor.read_bytes()))
    _mud_certificates(root, at)
    own = domain_credential(FileKeyStore(domain.keys), domain.load())
    born = []
    for index, kind in enumerate(_kinds(things), start=1):
        row = _TYPES[kind]
        home = root / "things" / f"{kind}-{index}"
        support_end = date(at.year + _SUPPORT_YEARS, 12, 31)
        url = _mud_url(row, mud_ports)
        serial = f"{row.model}-{index:04d}"
        model = Model(row.model, row.constrained_class, url, support_end)
        bear_thing(home, makers[row.maker].maker, model, serial, whose=own.cred, at=at)
        born.append(BornThing(index, kind, row.maker, row.model, serial, home))
    return Scenery(root, domain, makers, tuple(born))


def mud_files(
    scenery: Scenery, maker: str, ports: Mapping[str, int], *, at: datetime, sensors: bytes | None = None
) -> dict[str, bytes]:
    """What a maker serves: the MUD file of each of its types, and its signature.

    Args:
        scenery: who the makers are.
        maker: which of them.
        ports: of the web servers.
        at: now.
        sensors: a MUD file from elsewhere that the sensors' maker publishes as its own.

    Raises:
        ConfigError: `sensors` is not a MUD file.
    """
    files: dict[str, bytes] = {}
    for row in _TYPES.values():
        if row.maker != maker:
            continue
        url = _mud_url(row, ports)
        cloud = Service(Remote(RemoteKind.DNS_NAME, f"cloud.{MAKERS[maker]}"), _TCP, remote_port=ALLOWED_PORT)
        document = render(Description(url, at, f"{row.model} by {maker}", maker, row.model, (cloud,)))
        if row is _TYPES["sensor"] and sensors is not None:
            document = _adopted(sensors, url)
        path = f"/{row.model}.json"
        files[path] = document
        files[f"{path}.p7s"] = scenery.makers[maker].mud_signer().sign_detached(document)
    return files


def _adopted(document: bytes, url: str) -> bytes:
    """A foreign MUD file under the URL at which our maker serves it: it must name its own (RFC 8520 §3.2)."""
    try:
        content = json.loads(document)
        content["ietf-mud:mud"]["mud-url"] = url
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"expected a MUD file with ietf-mud:mud: {error!r}", spec="RFC 8520 §2") from error
    return json.dumps(content, indent=2).encode()


def _kinds(things: int) -> Iterator[str]:
    lamps = min(LAMPS, things - 1)
    yield from ["lamp"] * lamps
    yield from islice(cycle(("sensor", "meter", "sensor")), things - lamps)


def _mud_url(row: _Type, ports: Mapping[str, int]) -> str:
    return f"https://mud.{MAKERS[row.maker]}:{ports[row.maker]}/{row.model}.json"


def _mud_certificates(root: Path, at: datetime) -> None:
    """One authority for the web servers of both makers, as the public Web has; the domain is told to trust it."""
    folder = private_directory(root / "web")
    since, until = at - timedelta(days=1), at + timedelta(days=30)
    authority = make_authority("demo web authority", not_before=since, not_after=until)
    for name, dns in MAKERS.items():
        server = make_server(f"mud.{dns}", authority, not_before=since, not_after=until)
        write_whole(folder / f"{name}.pem", server.chain_pem)
        write_whole(folder / f"{name}.key", server.key_pem.reveal())
    write_whole(root / "domain" / "mud-ca.pem", authority.chain_pem)


def _settings(site: Site | None, coap: tuple[str, int]) -> str:
    hosts = {f"mud.{dns}": ["127.0.0.1"] for dns in MAKERS.values()}
    lines = [
        '[domain]\nname = "demo"\n',
        f"[coap]\nhost = {json.dumps(coap[0])}\nport = {coap[1]}\n",
        '[network]\nmud_ca = "mud-ca.pem"\ninsecure_private_mud_servers = true',
    ]
    if site is not None:
        hosts |= {f"cloud.{dns}": [str(site.internet)] for dns in MAKERS.values()}
        local = json.dumps([str(prefix) for prefix in site.networks])
        lines.append(f'enforcement = "nftables"\ninterfaces = [{json.dumps(site.interface)}]\nlocal = {local}')
    names = "\n".join(f"{json.dumps(name)} = {json.dumps(addresses)}" for name, addresses in sorted(hosts.items()))
    return "\n".join([*lines, f"\n[network.hosts]\n{names}\n"])


_POLICY = """\
profile = "building"

[scope.lamp]
"/senml" = ["POST"]
"/credential" = ["FETCH"]
"/update" = ["GET"]
"/update/image" = ["GET"]
"/update/report" = ["POST"]
"/ace-group/lamps" = ["GET", "POST"]

[scope.sensor]
"/senml" = ["POST"]
"/credential" = ["FETCH"]
"/update" = ["GET"]
"/update/image" = ["GET"]
"/update/report" = ["POST"]

[[rule]]
name = "lamps of aurora"
makers = ["aurora"]
models = ["A-Lamp"]
zone = "hall"
scope = "lamp"

[[rule]]
name = "meters and sensors"
makers = ["aurora", "borealis"]
models = ["A-Meter", "B-*"]
zone = "plant"
scope = "sensor"

# The demo's releases are an image and its envelope: nothing says what the image is made of.
[release]
sbom_missing = "allow"

[granted]
"/light" = ["GET", "PUT"]
"/group-keys" = ["PUT"]
"/standing" = ["FETCH"]
"/wipe" = ["POST"]
"/custody" = ["GET", "PUT"]

[[series]]
name = "*"
purpose = "show that telemetry flows"
retention_days = 1
"""
"""Who may join, with which rights, and what is collected: the demo's own policy file."""
