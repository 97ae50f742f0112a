"""How a thing is taken into a group: a challenge, a proof, a new epoch, its keys (RFC 9594 §4.3.1)."""

from __future__ import annotations

from collections.abc import Callable

from thingstead.clock import Clock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PrivateKey, verify
from thingstead.errors import DecodeError, ForbiddenError, StateError
from thingstead.identifier import ThingId
from thingstead.planes.groups.keeper import Keeper
from thingstead.planes.groups.record import GroupRecord
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm_join import (
    JoinRequest,
    JoinResponse,
    client_proof_input,
    encode_challenge,
    kdc_proof_input,
)
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.cwt import ccs

__all__ = ["Enrolment"]

_NONCE_SIZE = 8


class Enrolment:
    """Takes things in whose right has been looked up already.

    Args:
        keeper: the groups.
        key: the Group Manager's; it is the domain's as a member, too, so no thing may bring it.
        clock: for UTC.
        random_bytes: for challenges.
    """

    def __init__(self, keeper: Keeper, key: PrivateKey, *, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self._keeper = keeper
        self._key = key
        self._clock = clock
        self._random_bytes = random_bytes
        self._challenges: dict[tuple[ThingId, str], bytes] = {}

    def challenge(self, thing: ThingId, name: str) -> bytes:
        """A payload with N_S, which is good for the thing's next Join Request and for no other."""
        value = self._random_bytes(_NONCE_SIZE)
        self._challenges[thing, name] = value
        return encode_challenge(name, value)

    async def join(self, thing: ThingId, name: str, payload: bytes, *, right: Callable[[], Scope]) -> JoinResponse:
        """Check the proof, begin an epoch with the thing in it, and give it the keys.

        Args:
            thing: who asks.
            name: the group.
            payload: its Join Request.
            right: tells what it may ask of the members, or raises; asked again at the step itself.

        Raises:
            ForbiddenError: it asks for more than its right, or brings the key of another member.
            StateError: it has no challenge.
            DecodeError, UnsupportedError: a request or credential outside the profile.
            AuthenticationError: the credential is not provably its own.
        """
        asked = JoinRequest.decode(payload)
        _scope_for(asked, name, right())
        self._check_proof(thing, asked)

        def with_newcomer(record: GroupRecord) -> GroupRecord:
            # It may have been put out, and its right taken, while it waited for its turn.
            scope = _scope_for(asked, name, right())
            self._check_key(record, thing, asked.credential)
            at = self._clock.utc()
            joined = record.with_member(thing, asked.credential, roles=asked.roles, scope=scope, at=at)
            return self._keeper.next_epoch(joined)

        record = await self._keeper.change(name, with_newcomer, cause="joined", thing=thing)
        nonce = self._random_bytes(_NONCE_SIZE)
        proof = self._key.sign(kdc_proof_input(cnonce=asked.cnonce, kdc_nonce=nonce), AlgorithmId.ESP256)
        return JoinResponse(self._keeper.keys_of(record, record.members[-1]), nonce, proof)

    def _check_proof(self, thing: ThingId, asked: JoinRequest) -> None:
        challenge = self._challenges.pop((thing, asked.name), None)
        if challenge is None:
            raise StateError("expected an empty Join Request first; it gets a challenge", spec="RFC 9594 §4.3.1")
        read = ccs.decode(asked.credential)
        if read.public.type is not KeyType.P256 or _plain(read) != asked.credential:
            raise DecodeError("expected a claims set with a P-256 key and no more", spec="RFC 9528 §3.5.2")
        proof_input = client_proof_input(asked.scope, kdc_challenge=challenge, cnonce=asked.cnonce)
        verify(read.public, signature=asked.proof, data=proof_input, signature_id=AlgorithmId.ESP256)

    def _check_key(self, record: GroupRecord, thing: ThingId, credential: bytes) -> None:
        """Two members with one key could speak for each other (RFC 10021 §2.4)."""
        public = ccs.decode(credential).public
        others = [ccs.decode(member.credential).public for member in record.members if member.thing != thing]
        if public in (self._key.public, *others):
            raise ForbiddenError("another member has this key", spec="RFC 10021 §2.4", reason="key")


def _scope_for(asked: JoinRequest, name: str, right: Scope) -> Scope:
    if asked.name != name or (asked.roles & Role.REQUESTER and not right.grants):
        raise ForbiddenError("the scope does not hold what the Join Request asks for", spec="RFC 9594 §4.3.1")
    return right if asked.roles & Role.REQUESTER else Scope({})


def _plain(read: ccs.PublicKeyCredential) -> bytes:
    """The one encoding of a credential that says nothing beside its key."""
    return ccs.encode(read.public, kid=read.kid, subject=read.subject)
