"""A thing of the attacker's own: honestly bought, honestly joined, and then put to use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from thingstead.agent.association import DomainAssociation
from thingstead.agent.joining import Joining
from thingstead.agent.outbox import DOMAIN
from thingstead.agent.story import Story
from thingstead.crypto.key import KeyType, PrivateKey, generate
from thingstead.endpoint.derivation import context_of
from thingstead.errors import StateError
from thingstead.identifier import ThingId, thing_id
from thingstead.phases.manufacture import Maker, Model, bear
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.profile import path
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.senml import pack
from thingstead.protocols.senml.record import Record
from thingstead.simulator.attack.station import Station
from thingstead.simulator.attack.target import Target

__all__ = ["Member", "birth_of", "joined", "joining", "take_up", "telemetry", "values_kept"]

_VOUCHER_VALIDITY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Member:
    """It, and everything that it was given.

    Attributes:
        station: where it is.
        thing: its id in the domain.
        birth: what its maker gave it.
        key: its identity key.
        association: what the domain gave it.
    """

    station: Station
    thing: ThingId
    birth: Birth
    key: PrivateKey
    association: DomainAssociation


def birth_of(target: Target, maker: Maker, model: Model) -> tuple[Birth, PrivateKey]:
    """Have a thing made, with a voucher for the target's domain and a serial number that nobody else has."""
    key, at = generate(KeyType.P256), target.clock.utc()
    born = bear(
        maker,
        model,
        f"ATTACK-{target.random_bytes(4).hex()}",
        thing_key=key.public,
        domain_key=target.domain_key,
        at=at,
        voucher_expires=at + _VOUCHER_VALIDITY,
    )
    return born, key


def joining(target: Target, birth: Birth, key: PrivateKey) -> Story:
    """One attempt to join, as a thing makes it."""
    return Joining(birth, key, target.random_bytes(1)).story(target.clock.utc())


@asynccontextmanager
async def joined(target: Target, *, retire: bool = True) -> AsyncIterator[Member]:
    """Join with a genuine thing, and have it retired in the end, so that nothing of it stays.

    Args:
        target: the domain.
        retire: False where the attack itself sees to that.

    Raises:
        StateError: the domain does not let it in.
    """
    station = Station(target)
    try:
        birth, key = birth_of(target, target.maker, target.model)
        result, _ = await station.play(joining(target, birth, key))
        if not isinstance(result, DomainAssociation):
            raise StateError(f"the attacker's genuine thing could not join: {result}") from result
        member = take_up(station, birth, key, result)
        try:
            yield member
        finally:
            if retire:
                await target.ask("thing.retire", {"thing": member.thing, "cause": "attack-over"})
    finally:
        station.close()


def take_up(
    station: Station, birth: Birth, key: PrivateKey, association: DomainAssociation, *, sequence: int = 0
) -> Member:
    """Use an association from a station on; `sequence` is the first number that was not used elsewhere."""
    station.install(DOMAIN, context_of(association, sequence=SequenceNumbers(sequence)))
    name = cwt.decode(association.thing_credential).claims.text(Claim.SUB)
    return Member(station, thing_id(name), birth, key, association)


def telemetry(target: Target, value: float) -> Message:
    """A reading that the domain collects."""
    record = Record(name=target.series, value=value, time=target.clock.utc().timestamp())
    payload = pack.render_cbor([record])
    return request(Code.POST, path.TELEMETRY, payload=payload, content_format=ContentFormat.SENML_CBOR)


async def values_kept(target: Target, member: Member) -> int:
    """How many values the domain keeps of it."""
    kept: int = 0
    after = ""
    while True:
        page = await target.ask("data.export", {"thing": member.thing, "after": after})
        kept, after = kept + page["values"], page["following"]
        if not after:
            return kept
