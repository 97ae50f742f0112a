"""A thing's place in its groups: it joins, keeps up with every rekey, and answers for what it accepts.

After a restart it goes on with the keys it has: its own sequence numbers were reserved ahead, and what it received
is forgotten, so each other member must bring back an Echo value once before a request of its counts (RFC 8613
appendix B.1.2). Joining anew instead would rekey the whole group for every lamp that lost its power.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

from thingstead.agent.group_home import GroupHome, KeptKeys
from thingstead.agent.ports import Home
from thingstead.agent.story import Request, Story, Wait
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PrivateKey, verify
from thingstead.crypto.keystore import KeyStore
from thingstead.endpoint.association import Group
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import GroupId, RequestReceived
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import DecodeError, ForbiddenError, StateError, ThingsteadError, TransportError
from thingstead.identifier import KeyId
from thingstead.protocols.ace import aif, groupcomm_rekey
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.groupcomm import GroupKeys, group_rights, security_context
from thingstead.protocols.ace.groupcomm_join import (
    JoinRequest,
    JoinResponse,
    client_proof_input,
    decode_challenge,
    kdc_proof_input,
    scope_entry,
)
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.ace.groupcomm_rekey import Rekeying
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.profile import path
from thingstead.protocols.profile.standing import MemberStanding, StandingQuestion, thumbprint

__all__ = ["GROUP_PREFIX", "GROUP_STORY", "REACHABLE", "GroupMembership"]

_LOGGER = logging.getLogger(__name__)

REACHABLE = Scope(dict.fromkeys((path.LIGHT, path.LEVEL), Permission.GET | Permission.PUT))
"""All that a group or another thing may ask of a thing, whatever the rights of the sender: keys never come this way."""

GROUP_STORY = "groups"
"""What the story waits under, so that it can be woken."""

GROUP_PREFIX = "group-"
_NONCE_SIZE = 8
_KID_SIZE = 4


@dataclass(frozen=True, slots=True)
class _Live:
    kept: KeptKeys
    group: Group


class GroupMembership:
    """The groups of one thing.

    Args:
        home: where keys and numbers are kept.
        keys: key store; one key for each group, made at the first attempt to join it.
        endpoint: where groups become live.
        utc: the thing's clock.
        random_bytes: for challenges.
        interval: seconds between two looks for newer keys.
        retry: seconds until what did not succeed is tried again; doubled each time, up to `interval`.
    """

    def __init__(
        self,
        home: Home,
        keys: KeyStore,
        endpoint: Endpoint,
        *,
        utc: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        interval: float = 60.0,
        retry: float = 2.0,
    ) -> None:
        self._home = GroupHome(home)
        self._keys = keys
        self._endpoint = endpoint
        self._utc = utc
        self._random_bytes = random_bytes
        self._interval = interval
        self._retry = retry
        self._live: dict[str, _Live] = {}
        self._accepted: dict[bytes, datetime] = {}
        self._rights: dict[str, Scope] = {}

    def entitle(self, access_token: bytes) -> None:
        """Note which groups the thing's own token names; others are given up.

        The token came under the handshake, and says no more here than what to ask for: the domain decides.

        Raises:
            DecodeError: a token without a scope that can be read.
        """
        scope = cwt.decode(access_token).claims.required(Claim.SCOPE)
        if not isinstance(scope, bytes):
            raise DecodeError("expected a scope of AIF in a byte string", spec="RFC 9237 §3")
        self._rights = group_rights(aif.decode(scope))
        for name in self._home.names():
            if name not in self._rights:
                self._give_up(name)

    def resume(self) -> None:
        """Go on with the keys that are kept, as far as they still count; what cannot be used is joined anew."""
        for name in self._home.names():
            try:
                kept = self._home.load(name)
                if kept is not None and self._utc() < kept.expires:
                    self._install(kept, fresh=False)
            except ThingsteadError as error:
                _LOGGER.warning("the keys kept of group %s are given up: %s", name, error)
                # Without this key nothing that was handed out before is of use, so no number can be spent twice.
                self._keys.delete(KeyId(GROUP_PREFIX + name))
                self._home.forget(name)

    def leave(self) -> None:
        """Be in no group any more; what is kept of them goes with the rest of the home and the key store."""
        self._rights = {}
        for name in list(self._live):
            self._end(name)

    def epochs(self) -> dict[str, int]:
        """Version of the keys of each group, for whoever may read the thing's status."""
        return {name: live.kept.keys.num for name, live in sorted(self._live.items())}

    def serve(self, resources: Resources) -> None:
        """Register what the Group Manager gives a member."""
        resources.register(path.GROUP_KEYS, Code.PUT, self._take_keys)

    def grant(self, event: RequestReceived) -> tuple[Hashable, Scope] | None:
        """Who sent a group's request, and what it may ask: its right in the group, within `REACHABLE`."""
        live = self._live.get((event.group or "").removeprefix(GROUP_PREFIX))
        if live is None or event.member is None or self._utc() >= live.kept.expires:
            return None
        for peer in live.kept.keys.members:
            if peer.sender_id == event.member:
                self._accepted[thumbprint(peer.credential)] = self._utc()
                return (event.group, event.member), peer.scope.narrow(REACHABLE)
        return None

    def standing(self, asked: StandingQuestion) -> MemberStanding:
        """Whether a member would be accepted, out of the live keys."""
        live = self._live.get(asked.group)
        members = [] if live is None else list(live.group.context.members.values())
        accepts = any(thumbprint(member.credential.original) == asked.thumbprint for member in members)
        return MemberStanding(
            accepts=accepts and live is not None and self._utc() < live.kept.expires,
            num=0 if live is None else live.kept.keys.num,
            last_acceptance=self._accepted.get(asked.thumbprint),
        )

    def reserve(self, group: str, upto: int) -> None:
        """Keep that own sequence numbers below `upto` are spent; then the endpoint may use them."""
        name = group.removeprefix(GROUP_PREFIX)
        live = self._live.get(name)
        if live is not None:
            self._home.reserve(name, live.kept.keys.gid, upto)

    def story(self) -> Story:
        """Be in every group that the token names, for as long as it does."""
        delay = self._retry
        while True:
            complete = True
            for name in list(self._rights):
                try:
                    yield from self._keep_up(name)
                except ThingsteadError as error:
                    complete = False
                    _LOGGER.debug("not in group %s: %s", name, error)
            delay = self._retry if complete else min(2 * delay, self._interval)
            yield Wait(self._interval if complete else delay, GROUP_STORY)

    # --- joining and keeping up

    def _keep_up(self, name: str) -> Story:
        live = self._live.get(name)
        if live is not None and self._utc() >= live.kept.expires:
            self._give_up(name)
        if name not in self._live:
            yield from self._join(name)
            return
        answer: Message = yield Request(request(Code.GET, f"{path.ACE_GROUP}/{name}"))
        if answer.code == Code.CONTENT:
            self._take(GroupKeys.decode(answer.payload))
        elif answer.code in (Code.FORBIDDEN, Code.NOT_FOUND):
            # Put out: what is still here must not be read any more. The next round asks to come in again.
            self._give_up(name)
            raise ForbiddenError(f"the Group Manager says that we are not in group {name}", spec="RFC 9594 §4.3.2")
        else:
            raise TransportError(f"the Group Manager answered {answer.code:#04x}")

    def _join(self, name: str) -> Story:
        key = self._key(name)
        refused: Message = yield Request(request(Code.POST, f"{path.ACE_GROUP}/{name}"))
        if refused.code != Code.BAD_REQUEST:
            raise ForbiddenError(f"the Group Manager does not let us join {name}", spec="RFC 9594 §4.3.1")
        asked = self._request(name, key, decode_challenge(refused.payload))
        answer: Message = yield Request(
            request(
                Code.POST,
                f"{path.ACE_GROUP}/{name}",
                payload=asked.encode(),
                content_format=ContentFormat.ACE_GROUPCOMM_CBOR,
            )
        )
        if answer.code != Code.CREATED:
            raise ForbiddenError(f"the Group Manager refused our request to join {name}", spec="RFC 9594 §4.3.1")
        response = JoinResponse.decode(answer.payload)
        verify(
            ccs.decode(response.keys.gm_credential).public,
            signature=response.proof,
            data=kdc_proof_input(cnonce=asked.cnonce, kdc_nonce=response.kdc_nonce),
            signature_id=AlgorithmId.ESP256,
        )
        self._take(response.keys)

    def _request(self, name: str, key: PrivateKey, challenge: bytes) -> JoinRequest:
        right = self._rights.get(name)
        if right is None:
            raise ForbiddenError(f"the token does not name group {name} any more", spec="RFC 9594 §4.3.1")
        roles = Role.REQUESTER | Role.RESPONDER if right.grants else Role.RESPONDER
        scope = scope_entry(name, roles)
        cnonce = self._random_bytes(_NONCE_SIZE)
        proof_input = client_proof_input(scope, kdc_challenge=challenge, cnonce=cnonce)
        proof = key.sign(proof_input, AlgorithmId.ESP256)
        return JoinRequest(name, roles, _credential(key), cnonce, proof, scope)

    def _key(self, name: str) -> PrivateKey:
        key_id = KeyId(GROUP_PREFIX + name)
        if key_id in self._keys.ids():
            return self._keys.handle(key_id)
        return self._keys.create(key_id, KeyType.P256)

    # --- keys

    def _take(self, keys: GroupKeys) -> None:
        """Take newer keys; the same or older ones change nothing (ace-key-groupcomm-oscore §11.2)."""
        if keys.name not in self._rights:
            raise ForbiddenError(f"the token does not name group {keys.name}", spec="RFC 9594 §4.3.1")
        live = self._live.get(keys.name)
        if live is not None and keys.num <= live.kept.keys.num:
            return
        self._install(KeptKeys(keys, self._utc() + timedelta(seconds=keys.expires_in)), fresh=True)

    def _install(self, kept: KeptKeys, *, fresh: bool) -> None:
        """Make an epoch live; it is on disk first, and the epoch before it is gone from there and from memory."""
        keys = kept.keys
        reserved = self._home.reserved(keys.name, keys.gid)
        live = self._live.get(keys.name)
        context = security_context(
            keys,
            self._key(keys.name),
            sequence=SequenceNumbers(reserved, reserved=reserved),
            fresh=fresh and not reserved,
            before=None if live is None else live.group.context,
        )
        if fresh:
            self._home.save(kept)
        group = Group(GroupId(GROUP_PREFIX + keys.name), context)
        self._endpoint.install_group(group)
        self._live[keys.name] = _Live(kept, group)
        _LOGGER.info("group %s: epoch %d", keys.name, keys.num)

    def _give_up(self, name: str) -> None:
        self._end(name)
        self._home.drop(name)

    def _end(self, name: str) -> None:
        self._endpoint.end_group(GroupId(GROUP_PREFIX + name))
        self._live.pop(name, None)

    # --- resources

    def _take_keys(self, call: Call) -> Message:
        """PUT of an epoch's keys by the Group Manager: only under the association with the domain."""
        _require_domain(call)
        told = groupcomm_rekey.decode(call.request.payload)
        keys = told if isinstance(told, GroupKeys) else self._after(told)
        self._take(keys)
        live = self._live[keys.name]
        if live.kept.keys.gid != keys.gid:
            raise StateError("newer keys are here already", spec="RFC 9594 §6")
        return Message(Code.CHANGED)

    def _after(self, told: Rekeying) -> GroupKeys:
        """The keys of the epoch that a rekey leads to from ours; those that are here already are taken as they are."""
        live = self._live.get(told.keys.name)
        if live is None:
            raise StateError(f"expected all keys of {told.keys.name}: none are here", spec="RFC 9594 §6")
        return told.keys if live.kept.keys.num >= told.keys.num else told.after(live.kept.keys)


def _require_domain(call: Call) -> None:
    if call.event.association is None:
        raise ForbiddenError("expected the domain itself, not a member of a group", spec="RFC 9594 §6")


def _credential(key: PrivateKey) -> bytes:
    """A claims set with the key and a kid, and nothing that says which thing it is."""
    return ccs.encode(key.public, kid=cose_key.thumbprint(key.public)[:_KID_SIZE])
