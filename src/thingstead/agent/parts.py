"""What a thing is made of, and the parts of an agent that are made of that and its settings alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from thingstead.agent.attempt import Attempts
from thingstead.agent.attestation import Attester
from thingstead.agent.config import AgentConfig
from thingstead.agent.exi_book import ExiBook
from thingstead.agent.group_membership import GroupMembership
from thingstead.agent.kept_time import KeptTime
from thingstead.agent.ownership import Ownership
from thingstead.agent.ports import Actuator, Home, Sensor, Slots
from thingstead.agent.revocation import Revocations
from thingstead.agent.token_judge import TokenJudge
from thingstead.agent.update_anchor import UpdateAnchor
from thingstead.agent.update_attempt import Means
from thingstead.agent.updating import Life, Updating
from thingstead.crypto.key import PublicKey
from thingstead.crypto.keystore import KeyStore
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.resource import Resources
from thingstead.errors import StorageError
from thingstead.protocols.edhoc.suite import HYBRID
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import join
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.key_set import key_id
from thingstead.protocols.suit.encryption import DecryptionKeys

__all__ = ["Hardware", "attempts", "attester", "born", "groups", "token_judge", "updating"]


@dataclass(frozen=True, slots=True)
class Hardware:
    """What the thing is made of, as ports."""

    home: Home
    slots: Slots
    keys: KeyStore
    sensor: Sensor
    actuator: Actuator


def born(home: Home) -> Birth:
    """Its birth record.

    Raises:
        StorageError: there is none.
    """
    data = home.load(birth_record.BIRTH)
    if data is None:
        raise StorageError("expected a thing made by `thingstead factory`, found no birth record in its home")
    return birth_record.decode(data)


def attester(hardware: Hardware, birth: Birth, resources: Resources) -> Attester:
    """Says what runs on the thing, by its own key, to who may ask."""
    keys = hardware.keys
    made = Attester(hardware.slots, birth, key=lambda: keys.handle(birth_record.IDENTITY_KEY))
    made.serve(resources)
    return made


def attempts(
    hardware: Hardware,
    birth: Birth,
    ownership: Ownership,
    *,
    hybrid: bool,
    former: Callable[[], PublicKey | None],
    utc: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    attest: Callable[[bytes], bytes],
) -> Attempts:
    """The ways into a domain; `hybrid` offers a post-quantum key agreement beside the classical one, first."""
    return Attempts(
        hardware.home,
        hardware.keys,
        birth,
        ownership,
        former=former,
        utc=utc,
        random_bytes=random_bytes,
        attest=attest,
        suites=(HYBRID, *join.SUITES) if hybrid else join.SUITES,
    )


def groups(
    hardware: Hardware,
    config: AgentConfig,
    endpoint: Endpoint,
    *,
    utc: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
) -> GroupMembership:
    """What it has of its groups."""
    return GroupMembership(
        hardware.home,
        hardware.keys,
        endpoint,
        utc=utc,
        random_bytes=random_bytes,
        interval=config.group_interval,
        retry=config.retry_interval,
    )


def token_judge(
    hardware: Hardware,
    config: AgentConfig,
    revocations: Revocations,
    *,
    time: KeptTime,
    now: Callable[[], float],
    random_bytes: Callable[[int], bytes],
) -> TokenJudge:
    """Decides about tokens of others; without a clock by a book of when they came (RFC 9200 §5.10.3)."""
    return TokenJudge(
        revocations,
        None if config.has_clock else ExiBook(hardware.home, now=now),
        utc=time.utc,
        wants_fresh=config.wants_fresh,
        random_bytes=random_bytes,
        witness=time.witness,
    )


def updating(hardware: Hardware, anchor: UpdateAnchor, life: Life, *, utc: Callable[[], datetime]) -> Updating:
    """Gets releases, tries them, and goes back."""
    return Updating(Means(hardware.slots, anchor, utc, lambda: _decryption_keys(hardware.keys)), life)


def _decryption_keys(keys: KeyStore) -> DecryptionKeys:
    if birth_record.DECRYPTION_KEY not in keys.ids():
        return {}
    key = keys.handle(birth_record.DECRYPTION_KEY)
    return {key_id(key.public): key}
