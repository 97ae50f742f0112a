"""Operations on whose a thing is: what the seller's file says, and taking one in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.conductor import Conductor
from thingstead.controller.notary import Notary
from thingstead.controller.operation import Acting, Operation
from thingstead.crypto.digest import digest
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger.entry import Detail
from thingstead.domain.lifecycle import Cause, LifecycleState, advance
from thingstead.domain.ports import Store
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.domain.thing import released_under
from thingstead.errors import ConfigError, StateError
from thingstead.identifier import ThingId, thing_id
from thingstead.phases.adoption import Adoption
from thingstead.phases.decommission import Farewell
from thingstead.planes.identity import handover
from thingstead.planes.identity.handover import MAX_BYTES, Handover
from thingstead.planes.identity.ownership import Ownership
from thingstead.protocols.cose import key as cose_key

__all__ = ["AcceptThing", "AdoptThing", "Seller", "rows", "seller"]

Seller = Callable[[ThingId, Farewell, int], bytes]
"""The file for the next owner of a thing, whose decision stands in the ledger at or behind an index."""


@dataclass(frozen=True, slots=True)
class AcceptThing(Acting):
    """Take in what somebody handed over to us.

    Attributes:
        file: absolute path of the file that the seller's `thing hand-over` wrote.
    """

    file: str


@dataclass(frozen=True, slots=True)
class AdoptThing(Acting):
    """Take over the updates of a thing at its end of life.

    Attributes:
        thing: its id.
        until: last day on which we mend it, as YYYY-MM-DD.
        anchor: name of the trusted anchor whose release keys count from then on; empty for that of its maker's name.
    """

    thing: str
    until: str
    anchor: str = ""


def seller(store: Store, notary: Notary, *, key: PrivateKey, ledger_key: PublicKey, domain: str) -> Seller:
    """Writes such files; `key` is the one by which makers and owners know us."""

    def write(thing: ThingId, farewell: Farewell, since: int) -> bytes:
        if farewell.papers is None:
            raise StateError(f"{thing} showed no papers", reason="no-papers")
        for index, encoded in enumerate(store.leaves(since, notary.size), since):
            entry = leaf.decode(encoded)
            wiped = entry.details.get("wipe_receipt")
            if (entry.thing, entry.cause, wiped) == (thing, Cause.HANDED_OVER.value, digest(farewell.receipt)):
                said = Handover(
                    thing,
                    domain,
                    farewell.papers,
                    farewell.nonce,
                    farewell.receipt,
                    encoded,
                    notary.receipt(index),
                    ledger_key,
                )
                return handover.sign(said, key)
        raise StateError(f"the ledger does not say that {thing} was handed over")

    return write


def rows(
    ownership: Ownership,
    register: Register,
    conductor: Conductor,
    *,
    adoption: Adoption,
    anchors: Callable[[], Iterable[TrustAnchor]],
    clock: Clock,
) -> tuple[Operation[Any], ...]:
    """The table."""

    async def accept(request: AcceptThing) -> dict[str, Any]:
        accepted = await ownership.accept(_read(Path(request.file)), by=request.by)
        identity, chain = accepted.identity, accepted.custody
        known = register.find(identity.maker, identity.serial)
        if known is not None and known.state is LifecycleState.RE_OWNED:
            # Sold by us once, and ours again: it may come as a new one comes.
            await conductor.transition(known.id, Cause.INSTALLED, actor=request.by)
        return {
            "maker": identity.maker,
            "model": identity.model,
            "serial": identity.serial,
            "key": cose_key.thumbprint(identity.public).hex(),
            "owners": [owner.name for owner in chain.owners],
            "updates_by": identity.maker if chain.mender is None else chain.mender.name,
            "wiped_at": accepted.wiped.at,
            "erased": list(accepted.wiped.erased),
        }

    async def adopt(request: AdoptThing) -> dict[str, Any]:
        thing = register.thing(thing_id(request.thing))
        # Before the thing is asked: what the table refuses must not change whose releases it takes.
        advance(thing.state, Cause.SUPPORT_ADOPTED)
        until = _after(request.until, clock.utc())
        name = request.anchor or thing.maker
        anchor = next((one for one in anchors() if one.maker == name), None)
        if anchor is None:
            raise ConfigError(f"expected an anchor of {name} with the release keys that count from now on")
        given = anchor.steady
        await adoption.adopt(thing.id, thing.serial, given)
        thumbprints = [cose_key.thumbprint(key) for key in given.current.keys]
        evidence: dict[str, Detail] = {
            "until": request.until,
            "anchor": anchor.maker,
            "release_keys": ", ".join(thumbprint.hex() for thumbprint in thumbprints),
        }
        changes = {"support_end": until, "keys": released_under(thing.keys, thumbprints, at=clock.utc())}
        cause = Cause.SUPPORT_ADOPTED
        report = await conductor.transition(thing.id, cause, actor=request.by, evidence=evidence, changes=changes)
        told = {"thing": thing.id, "state": report.thing.state.value, "support_end": until}
        return told | {"updates_by": anchor.maker}

    return (
        Operation("thing.accept", AcceptThing, Right.OWN, "take in what a seller handed over to us", accept),
        Operation("thing.adopt", AdoptThing, Right.OWN, "take over the updates of an end-of-life thing", adopt),
    )


def _after(day: str, at: datetime) -> datetime:
    """The first instant after a day that is still to come."""
    try:
        end = datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ConfigError(f"expected a day such as 2031-12-31, got {day[:20]!r}") from None
    if end <= at:
        raise ConfigError(f"expected a day that is still to come, got {day}")
    return end


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"expected a hand-over at {path}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path} is over {MAX_BYTES} bytes")
    return data
