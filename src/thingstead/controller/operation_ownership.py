"""Operations on whose a thing is: what the seller's file says, and taking one in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thingstead.controller.conductor import Conductor
from thingstead.controller.notary import Notary
from thingstead.controller.operation import Acting, Operation
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.lifecycle import Cause, LifecycleState
from thingstead.domain.ports import Store
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.errors import ConfigError, StateError
from thingstead.identifier import ThingId
from thingstead.phases.decommission import Farewell
from thingstead.planes.identity import handover
from thingstead.planes.identity.handover import MAX_BYTES, Handover
from thingstead.planes.identity.ownership import Ownership
from thingstead.protocols.cose import key as cose_key

__all__ = ["AcceptThing", "Seller", "rows", "seller"]

Seller = Callable[[ThingId, Farewell, int], bytes]
"""The file for the next owner of a thing, whose decision stands in the ledger at or behind an index."""


@dataclass(frozen=True, slots=True)
class AcceptThing(Acting):
    """Take in what somebody handed over to us.

    Attributes:
        file: absolute path of the file that the seller's `thing hand-over` wrote.
    """

    file: str


def seller(store: Store, notary: Notary, *, key: PrivateKey, ledger_key: PublicKey, domain: str) -> Seller:
    """Writes such files; `key` is the one by which makers and owners know us."""

    def write(thing: ThingId, farewell: Farewell, since: int) -> bytes:
        if farewell.papers is None:
            raise StateError(f"{thing} showed no papers", reason="no-papers")
        for index, encoded in enumerate(store.leaves(since, notary.size), since):
            entry = leaf.decode(encoded)
            if (entry.thing, entry.cause) == (thing, Cause.HANDED_OVER.value):
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


def rows(ownership: Ownership, register: Register, conductor: Conductor) -> tuple[Operation[Any], ...]:
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
            "wiped_at": accepted.wiped.at,
            "erased": list(accepted.wiped.erased),
        }

    return (Operation("thing.accept", AcceptThing, Right.OWN, "take in what a seller handed over to us", accept),)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"expected a hand-over at {path}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path} is over {MAX_BYTES} bytes")
    return data
