"""What a member of a group gets: its keying material (RFC 9594, ace-key-groupcomm-oscore-21).

Groups here have the group mode alone: what one member says to another, all may read, and all can tell who said it.
Beyond the draft, the keying material tells what each member may ask of the others (AIF, private-use parameter):
a role of requester alone would let a member that may read a lamp also switch it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.groupcomm_registry import DRAFT, KEY_TYPE, PROFILE, KeyLabel, Parameter, Role
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import ccs
from thingstead.protocols.group_oscore.algorithms import GroupAlgorithms
from thingstead.protocols.group_oscore.context import Credential, GroupContext, OwnIdentity
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

__all__ = [
    "CRED_FMT",
    "DEFAULT_LIMITS",
    "SIGN_PARAMS",
    "GroupKeys",
    "Limits",
    "Peer",
    "byte_string",
    "decode_roles",
    "group_name",
    "group_rights",
    "parameters",
    "security_context",
]

_ALGORITHMS = GroupAlgorithms(aead_id=None, agreement_id=None)
"""Signature-only: AES-CCM-16-64-128 and ESP256, SHA-256 for the keys."""

CRED_FMT = 14
"""`cred_fmt`: CWT claims sets, the COSE header parameter kccs (RFC 9528 §8)."""

_EC2, _P256 = 2, 1
SIGN_PARAMS = [[_EC2], [_EC2, _P256]]
"""COSE capabilities of ESP256, and of the keys used with it (RFC 9053 §8)."""

_ROOT = "/ace-group/"
_HMAC_256 = 5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one message.

    Attributes:
        max_bytes: of its encoding.
        max_members: whose credentials it may hold.
        max_credential: bytes of one credential.
        max_nonce: bytes of a challenge.
    """

    max_bytes: int = 1 << 19
    max_members: int = 1024
    max_credential: int = 1024
    max_nonce: int = 32


DEFAULT_LIMITS = Limits()


def group_name(text: str) -> str:
    """Check the name of a group; it becomes part of a path, of a key's name and of a file's.

    Raises:
        DecodeError: empty, over 32 characters, or with one outside ``A-Za-z0-9_-``.
    """
    if not _NAME.fullmatch(text):
        raise DecodeError(f"expected a group name of 1 to 32 of A-Za-z0-9_-, got {text[:40]!r}")
    return text


def group_rights(scope: Scope) -> dict[str, Scope]:
    """The groups that a thing's scope lets it join, each with what it may ask of the members there.

    ``/ace-group/lamps`` with POST is the right to join; ``/ace-group/lamps/light`` with PUT is the right to
    PUT ``/light`` at the members by a group message; what bounds the one bounds the other.
    """
    names = [path.removeprefix(_ROOT) for path, held in scope.grants.items() if held & Permission.POST]
    joinable = [name for name in names if _ROOT + name in scope.grants and _NAME.fullmatch(name)]
    return {name: _beneath(scope, _ROOT + name) for name in joinable}


@dataclass(frozen=True, slots=True)
class Peer:
    """A member as the Group Manager vouches for it.

    Attributes:
        sender_id: its kid in this epoch.
        credential: its own, original bytes.
        roles: what it may be.
        scope: what it may ask of the other members.
    """

    sender_id: bytes
    credential: bytes
    roles: Role
    scope: Scope


@dataclass(frozen=True, slots=True)
class GroupKeys:
    """One epoch of a group as one member gets it: at its join, at every rekey, and whenever it asks.

    Attributes:
        name: the group.
        num: version of the keying material; it never goes back.
        gid: Group Identifier.
        master_secret: of this epoch.
        master_salt: of this epoch.
        sender_id: the receiver's own kid.
        gm_credential: the Group Manager's, original bytes.
        expires_in: seconds after which the keys must not be used any more.
        members: everybody, the receiver among them.
    """

    name: str
    num: int
    gid: bytes
    master_secret: Secret
    master_salt: bytes
    sender_id: bytes
    gm_credential: bytes
    expires_in: int
    members: tuple[Peer, ...]

    def own(self) -> Peer:
        """The receiver itself.

        Raises:
            DecodeError: it is not among the members.
        """
        for peer in self.members:
            if peer.sender_id == self.sender_id:
                return peer
        raise DecodeError("expected the receiver among the members of its group", spec="RFC 9594 §4.3.1")

    def encode(self, *, kdc_nonce: bytes = b"", proof: bytes = b"") -> bytes:
        """As a payload; with N_KDC and its proof where it answers a Join Request."""
        fields = self.fields()
        if kdc_nonce:
            fields |= {Parameter.KDC_NONCE.value: kdc_nonce, Parameter.KDC_CRED_VERIFY.value: proof}
        return codec.encode(fields)

    def fields(self) -> dict[int, Any]:
        """As a map of ACE groupcomm parameters; it holds the master secret."""
        return {
            Parameter.GNAME.value: [self.name],
            Parameter.GKTY.value: KEY_TYPE,
            Parameter.KEY.value: self._input_material(),
            Parameter.NUM.value: self.num,
            Parameter.ACE_GROUPCOMM_PROFILE.value: PROFILE,
            Parameter.EXI.value: self.expires_in,
            Parameter.CREDS.value: [peer.credential for peer in self.members],
            Parameter.PEER_ROLES.value: [int(peer.roles) for peer in self.members],
            Parameter.PEER_IDENTIFIERS.value: [peer.sender_id for peer in self.members],
            Parameter.PEER_SCOPES.value: [aif.encode(peer.scope) for peer in self.members],
            Parameter.KDC_CRED.value: self.gm_credential,
        }

    @classmethod
    def decode(cls, data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> GroupKeys:
        """Read a payload that came from the Group Manager.

        Raises:
            DecodeError: a parameter missing, of the wrong kind, or over a limit; two members of one kid.
            UnsupportedError: another key type, profile or algorithm than this profile has.
        """
        return cls.from_parameters(parameters(data, limits=limits), limits=limits)

    @classmethod
    def from_parameters(cls, fields: dict[Any, Any], *, limits: Limits = DEFAULT_LIMITS) -> GroupKeys:
        """Read what `parameters` read; raises as `decode`."""
        for parameter, expected in _KINDS:
            if fields.get(parameter) != expected:
                raise UnsupportedError(f"expected {parameter.name.lower()} {expected}", spec=f"{DRAFT} §5.3.3")
        material = fields.get(Parameter.KEY)
        if not isinstance(material, dict):
            raise DecodeError("expected a Group_OSCORE_Input_Material object", spec=f"{DRAFT} §5.3.3")
        for label, expected in _FIXED_LABELS.items():
            if material.get(label) != expected:
                name = KeyLabel(label).name.lower()
                raise UnsupportedError(f"expected {expected} as {name} of the group", spec=f"{DRAFT} §5.3.3")
        match fields.get(Parameter.GNAME):
            case [str(name)]:
                pass
            case _:
                raise DecodeError("expected the name of one group", spec="RFC 9594 §8")
        return cls(
            name=group_name(name),
            num=_uint(fields, Parameter.NUM),
            gid=byte_string(material, KeyLabel.CONTEXT_ID, limits.max_nonce),
            master_secret=Secret(byte_string(material, KeyLabel.MS, limits.max_nonce)),
            master_salt=byte_string(material, KeyLabel.SALT, limits.max_nonce),
            sender_id=byte_string(material, KeyLabel.GROUP_SENDER_ID, limits.max_nonce),
            gm_credential=byte_string(fields, Parameter.KDC_CRED, limits.max_credential),
            expires_in=_uint(fields, Parameter.EXI),
            members=_peers(fields, limits),
        )

    def _input_material(self) -> dict[int, Any]:
        return {
            KeyLabel.MS.value: self.master_secret.reveal(),
            KeyLabel.SALT.value: self.master_salt,
            KeyLabel.CONTEXT_ID.value: self.gid,
            KeyLabel.GROUP_SENDER_ID.value: self.sender_id,
            **_FIXED_LABELS,
        }


_FIXED_LABELS: dict[int, Any] = {
    KeyLabel.HKDF.value: _HMAC_256,
    KeyLabel.CRED_FMT.value: CRED_FMT,
    KeyLabel.GP_ENC_ALG.value: int(AlgorithmId.AES_CCM_16_64_128),
    KeyLabel.SIGN_ALG.value: int(AlgorithmId.ESP256),
    KeyLabel.SIGN_PARAMS.value: SIGN_PARAMS,
}
"""What this profile fixes: a member refuses keys that say anything else."""

_KINDS = ((Parameter.GKTY, KEY_TYPE), (Parameter.ACE_GROUPCOMM_PROFILE, PROFILE))


def security_context(
    keys: GroupKeys,
    key: PrivateKey,
    *,
    sequence: SequenceNumbers,
    fresh: bool,
    before: GroupContext | None = None,
) -> GroupContext:
    """The Group OSCORE Security Context of one member (RFC 10021 §2).

    Args:
        keys: this member's keying material.
        key: handle on the private half of its credential.
        sequence: its sender sequence numbers under this Gid.
        fresh: it never had these keys before; else what it received under them is forgotten, and every other
            member is asked once to prove that its request is fresh (RFC 8613 appendix B.1.2).
        before: the epoch before, whose members' credentials need not be read again.

    Raises:
        DecodeError: a credential without a public key, or an own credential that is not of `key`.
        UnsupportedError: a key that does not fit the group's algorithms.
    """
    own = _credential(keys.own())
    if own.public != key.public:
        raise DecodeError("expected our own credential under our Sender ID", spec="RFC 9594 §4.3.1")
    context = GroupContext(
        keys.gid,
        master_secret=keys.master_secret,
        master_salt=keys.master_salt,
        gm_credential=keys.gm_credential,
        algorithms=_ALGORITHMS,
        own=OwnIdentity(keys.sender_id, own, key, sequence),
    )
    known = {} if before is None else {one.credential.original: one.credential for one in before.members.values()}
    for peer in keys.members:
        if peer.sender_id != keys.sender_id:
            credential = known.get(peer.credential) or _credential(peer)
            context.add_member(peer.sender_id, credential, window=ReplayWindow(valid=fresh))
    return context


def _credential(peer: Peer) -> Credential:
    return Credential(peer.credential, ccs.decode(peer.credential).public)


def _beneath(scope: Scope, root: str) -> Scope:
    grants = {path.removeprefix(root): held for path, held in scope.grants.items() if path.startswith(f"{root}/")}
    return Scope(grants, {path: scope.bounds_of(root + path) for path in grants})


def _peers(fields: dict[Any, Any], limits: Limits) -> tuple[Peer, ...]:
    names = (Parameter.PEER_IDENTIFIERS, Parameter.CREDS, Parameter.PEER_ROLES, Parameter.PEER_SCOPES)
    columns = [fields.get(name) for name in names]
    if not all(isinstance(column, list) and len(column) <= limits.max_members for column in columns):
        raise DecodeError(f"expected lists of at most {limits.max_members} members", spec="RFC 9594 §4.3.1")
    if len({len(column) for column in columns if column is not None}) != 1:
        raise DecodeError("expected as many identifiers, roles and scopes as credentials", spec="RFC 9594 §4.3.1")
    peers = tuple([_peer(row, limits) for row in zip(*columns, strict=True)])
    if len({peer.sender_id for peer in peers}) != len(peers) or len({peer.credential for peer in peers}) != len(peers):
        raise DecodeError("expected each Sender ID and each credential once in a group", spec="RFC 10021 §2.2")
    return peers


def _peer(row: tuple[Any, ...], limits: Limits) -> Peer:
    match row:
        case (bytes(sender_id), bytes(credential), int(roles), bytes(scope)) if (
            len(credential) <= limits.max_credential and len(sender_id) <= limits.max_nonce
        ):
            return Peer(sender_id, credential, decode_roles(roles), aif.decode(scope))
        case _:
            raise DecodeError("expected Sender ID, credential, roles and scope of a member", spec="RFC 9594 §4.3.1")


def decode_roles(value: int) -> Role:
    """Read a Tperm of roles.

    Raises:
        UnsupportedError: none, or one that no member here may have.
    """
    if isinstance(value, bool) or value <= 0 or value & ~int(Role.REQUESTER | Role.RESPONDER):
        raise UnsupportedError("expected the roles of requester or responder", spec=f"{DRAFT} §3")
    return Role(value)


def parameters(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> dict[Any, Any]:
    """Read a map of ACE groupcomm parameters; unknown ones are left alone (RFC 9594 §8).

    Raises:
        DecodeError: not a map, or over a limit.
    """
    value = codec.decode(data, limits=codec.Limits(max_bytes=limits.max_bytes, max_depth=6))
    if not isinstance(value, dict):
        raise DecodeError("expected a map of ACE groupcomm parameters", spec="RFC 9594 §8")
    return value


def byte_string(fields: dict[Any, Any], name: Parameter | KeyLabel, limit: int) -> bytes:
    """A member of a map that is a byte string.

    Raises:
        DecodeError: it is not, or is longer than `limit`.
    """
    value = fields.get(name)
    if not isinstance(value, bytes) or len(value) > limit:
        raise DecodeError(f"expected {name.name.lower()} of at most {limit} bytes", spec="RFC 9594 §8")
    return value


def _uint(fields: dict[Any, Any], name: Parameter) -> int:
    value = fields.get(name)
    if type(value) is not int or value < 0:
        raise DecodeError(f"expected {name.name.lower()} as an unsigned integer", spec="RFC 9594 §8")
    return value
