"""What happens in a decade: makers' authorities end, owners change, keys are lost, a domain burns down.

Each is done by the product's own operations, as its owner would do it; what is simulated is that it happens.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from thingstead.controller.config import CoapConfig, DomainConfig
from thingstead.crypto.authority import make_authority, make_signer
from thingstead.protocols.cwt import ccs
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind
from thingstead.simulator.decade.decade import Decade, Event
from thingstead.simulator.decade.resident import Resident
from thingstead.simulator.decade.tale import Trouble
from thingstead.simulator.virtual.domain import LivingDomain
from thingstead.simulator.virtual.world import World, make_maker

__all__ = ["Happenings", "publish_mud", "support"]

_YEAR = 365
_CA_DAYS = 3 * _YEAR
_SUPPORT_DAYS = {"acme": 6 * _YEAR + 100, "brook": 4 * _YEAR + 180}
"""Until which day of the decade each maker mends its things."""

_UNPACKING = 10.0
_ENDED, _NOTICE = "AES-CCM-16-64-128", 100
_SHARE_RETIRED, _SHARE_SOLD = 0.01, 0.02
_URL = "https://mud.example/LX-1.json"


def publish_mud(world: World, *, days: int = _CA_DAYS) -> None:
    """Put Acme's MUD file where the domain fetches it, signed by an authority that ends after so many days."""
    at = world.clock.utc()
    span = {"not_before": at - timedelta(days=1), "not_after": at + timedelta(days=days)}
    authority = make_authority("Acme", **span)
    signer = make_signer("Acme files", authority, **span)
    cloud = Service(Remote(RemoteKind.DNS_NAME, "cloud.mud.example"), 6, remote_port=443)
    file = render(Description(_URL, at, "A lamp", "Acme", "LX-1", (cloud,)))
    world.mud_authorities["acme"] = (authority.certificate.der,)
    world.domain.mud_files.documents |= {_URL: file, f"{_URL}.p7s": signer.sign_detached(file)}


class Happenings:
    """The events of a decade, in the order of their days.

    Args:
        folder: for the files that owners hand each other.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sold: tuple[Resident, ...] = ()
        self._backup = b""

    def events(self) -> tuple[Event, ...]:
        """The table."""
        yearly = [Event(year * _YEAR + 100, self._retire) for year in range(1, 10)]
        return (
            *yearly,
            Event(2 * _YEAR + 50, self._sell),
            Event(_CA_DAYS + 14, self._after_the_authority),
            Event(4 * _YEAR, self._bankrupt),
            Event(4 * _YEAR + 190, self._menders),
            Event(5 * _YEAR, self._lose_a_key),
            Event(5 * _YEAR + 100, self._end_an_algorithm),
            Event(6 * _YEAR + 50, self._sell),
            Event(7 * _YEAR, self._back_up),
            Event(7 * _YEAR + 28, self._burn_down),
        )

    async def _retire(self, decade: Decade) -> None:
        """Things are stolen or thrown away: they are retired while they are off."""
        ours = [one for one in decade.living() if one.home is decade.world.domain and one.name is not None]
        gone = decade.chance.sample(ours, max(1, round(len(ours) * _SHARE_RETIRED)))
        for one in gone:
            await one.home.ask("thing.retire", thing=str(one.name))
            one.has_left = True
        decade.tale.happen(decade.day, f"{len(gone)} things are stolen or thrown away, and retired while they are off")

    async def _sell(self, decade: Decade) -> None:
        """Things change owners: of the first owner's a share, and the same ones once more years later."""
        sellers = self._sold or self._chosen(decade)
        those = [one for one in sellers if not one.has_left]
        seller = those[0].home
        buyer = await self._buyer(decade, 2 if seller is decade.world.domain else 3)
        card = self._folder / f"{buyer.config.domain.name}.credential"
        card.write_bytes(ccs.encode(buyer.public, subject=buyer.config.domain.name))
        await decade.meet(those)
        for one in those:
            told = await seller.ask("thing.hand-over", thing=str(one.name), to=str(card))
            papers = self._folder / "papers"
            papers.write_bytes(base64.urlsafe_b64decode(told["handover"]))
            await buyer.ask("thing.accept", file=str(papers))
            one.move(buyer)
            one.come(decade.world.clock.utc())
        await decade.world.sleep(_UNPACKING)
        for waits in await buyer.ask("thing.waiting"):
            # Whose maker mends it no more, a person lets in.
            await buyer.ask("thing.admit", thing=waits["thing"])
        await decade.meet(those)
        decade.go(those)
        self._sold = tuple(those)
        decade.tale.happen(
            decade.day, f"{len(those)} things are sold by {seller.config.domain.name} to {buyer.config.domain.name}"
        )

    async def _after_the_authority(self, decade: Decade) -> None:
        """The authority of Acme's MUD files has ended, nobody made a new one, and the controller starts again."""
        domain = decade.world.domain
        await domain.crash()
        await domain.start()
        things = [thing for thing in domain.controller.register.things() if thing.mud_url == _URL]
        watched = {expiry.what for expiry in domain.controller.overview.expiries()}
        ruled = len(things) if f"MUD file {_URL}" in watched else 0
        for thing in things[ruled:]:
            decade.tale.strand(Trouble(decade.day, thing.serial, "its network rules are gone", "authority ended"))
        decade.tale.happen(
            decade.day,
            f"the authority that signs Acme's MUD files has ended, and the controller starts anew: {ruled} of "
            f"{len(things)} things keep their rules",
        )

    async def _bankrupt(self, decade: Decade) -> None:
        """Brook is no more."""
        decade.tale.happen(decade.day, "Brook is bankrupt: no server of theirs answers, and no release comes any more")

    async def _menders(self, decade: Decade) -> None:
        """Its things are at their end of life; the owner finds somebody who mends them, and adopts whoever comes."""
        decade.world.makers["menders"] = make_maker("menders")
        for owner in decade.world.domains:
            await owner.ask("trust.reload")
        decade.tale.happen(
            decade.day, "Brook's support is over: owners trust menders, and adopt each thing when it comes"
        )

    async def _lose_a_key(self, decade: Decade) -> None:
        """Acme loses one of its two release keys, of which every one has to sign."""
        acme = decade.world.makers["acme"]
        decade.world.makers["acme"] = replace(
            acme, release_keys=(acme.release_keys[0], make_maker("x").release_keys[1])
        )
        decade.tale.happen(
            decade.day,
            "Acme loses one of its two update keys: nothing that it signs now installs; its things are adopted when "
            "its support ends",
        )

    async def _end_an_algorithm(self, decade: Decade) -> None:
        """Owners end the algorithm that every association has rested on so far; things have another suite."""
        ends = decade.today() + timedelta(days=_NOTICE)
        line = f'[crypto.sunset]\n"{_ENDED}" = {ends.isoformat()}\n'
        told = await decade.world.domain.ask("crypto.forbid", algorithm=_ENDED, last=ends.isoformat())
        for owner in decade.world.domains:
            owner.policy += line
            await owner.ask("policy.reload")
        decade.tale.happen(
            decade.day,
            f"owners end {_ENDED} on {ends}: of {len(told['moves']) + len(told['isolates'])} things "
            f"{len(told['moves'])} will join anew, {len(told['isolates'])} would be isolated",
        )

    async def after_the_sunset(self, decade: Decade) -> None:
        """What still rests on it, at the end."""
        rows = await decade.world.domain.ask("crypto.inventory")
        old = sum(row["count"] for row in rows if row["kind"] == "context" and _ENDED in row["algorithms"])
        new = sum(row["count"] for row in rows if row["kind"] == "context" and _ENDED not in row["algorithms"])
        for _ in range(old):
            decade.tale.strand(Trouble(decade.day, "an association", _ENDED, "it rests on what is not taken"))
        decade.tale.happen(decade.day, f"{new} associations rest on other algorithms, {old} on {_ENDED}")

    async def _back_up(self, decade: Decade) -> None:
        path = self._folder / "home.backup"
        await decade.world.domain.ask("backup", path=str(path))
        self._backup = path.read_bytes()
        decade.tale.happen(decade.day, "the domain is backed up")

    async def _burn_down(self, decade: Decade) -> None:
        """The controller burns down; another begins from a backup that is four weeks old."""
        held = await decade.world.domain.begin_again(self._backup)
        waits = f"each thing waits for a person: {held}" if held else "nobody has to be asked"
        decade.tale.happen(decade.day, f"the controller burns down, and begins again from that backup; {waits}")

    def _chosen(self, decade: Decade) -> Sequence[Resident]:
        ours = [one for one in decade.living() if one.name is not None]
        return decade.chance.sample(ours, max(1, round(len(ours) * _SHARE_SOLD)))

    async def _buyer(self, decade: Decade, number: int) -> LivingDomain:
        buyer = LivingDomain(decade.world, decade.world.domain.policy)
        buyer.address = (f"198.51.100.{number}", 5683)
        buyer.config = replace(
            buyer.config,
            domain=DomainConfig(name=f"owner-{number}"),
            coap=CoapConfig(host=buyer.address[0], port=buyer.address[1]),
        )
        await buyer.start()
        decade.world.domains.append(buyer)
        return buyer


def support(start: date) -> dict[str, date]:
    """Last day of support by maker."""
    return {maker: start + timedelta(days=days) for maker, days in _SUPPORT_DAYS.items()}
