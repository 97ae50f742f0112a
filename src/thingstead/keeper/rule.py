"""What each key of a domain may be put to: whoever asks, a keeper signs nothing but what is of its own plane.

A rule reads what it shall sign, as whoever relies on it will read it, and refuses the rest. It cannot tell what an
honest controller decided from what a stolen one did; it sees to it that neither makes anything of another plane, nor
anything without an end, nor a ledger that contradicts itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.ledger.head import HEAD_TYPE
from thingstead.domain.ledger.tree import MerkleTree
from thingstead.errors import DecodeError, ForbiddenError, ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose.header import Label
from thingstead.protocols.cwt import claims as claims_set
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.receipts.merkle import HASH_SIZE, verify_consistency
from thingstead.secret import Secret

__all__ = ["FILE_TYPES", "GroupRule", "HandshakeRule", "LedgerRule", "Rule", "RuledKey", "TokenRule"]

_BACKUP, _REVOKED = "application/vnd.thingstead.backup+cbor", "application/vnd.thingstead.revocations+cbor"
FILE_TYPES = frozenset({_BACKUP, _REVOKED})
"""What else the ledger's key signs: files that name their domain in their second place."""

_BACKUP_LEAVES = 9
"""Place of the ledger in a backup."""

_CLOCK = timedelta(minutes=5)
_NONCE_SIZES = range(8, 65)
_LIMITS = codec.Limits(max_bytes=1 << 28)


class Rule(Protocol):
    """What one key is for."""

    def check_signature(self, data: bytes, at: datetime) -> None:
        """Pass where `data` may be signed now.

        Raises:
            ForbiddenError: it is not of this plane.
        """
        ...

    def check_agreement(self) -> None:
        """Pass where a secret may be agreed on.

        Raises:
            ForbiddenError: this key agrees on none.
        """
        ...


@dataclass(frozen=True, slots=True)
class TokenRule:
    """Signs claims sets of one domain that end, and that say what this plane says (RFC 8392 §7.1).

    Attributes:
        issuer: what `iss` says.
        required: claims that each has.
        barred: claims that none has, for they are another plane's.
        longest: from `iat` to `exp`.
    """

    issuer: str
    required: frozenset[Claim]
    barred: frozenset[Claim]
    longest: timedelta

    def check_signature(self, data: bytes, at: datetime) -> None:
        """Pass a claims set within these bounds."""
        protected, payload = _sign1(data)
        if protected != {int(Label.ALG): int(AlgorithmId.ESP256)}:
            raise _refused("expected a token with its algorithm protected and nothing else")
        claims = _read(claims_set.decode, payload)
        if claims.values.get(Claim.ISS) != self.issuer:
            raise _refused(f"expected a token of {self.issuer}")
        held = {Claim(name) for name in claims.values if name in _CLAIMS}
        if not self.required <= held or held & self.barred:
            raise _refused("expected the claims of this plane and none of another's")
        issued, expires = (_read(claims.required_date, name) for name in (Claim.IAT, Claim.EXP))
        if abs(issued - at) > _CLOCK or not issued < expires <= issued + self.longest:
            raise _refused(f"expected a token from now that ends within {self.longest}")

    def check_agreement(self) -> None:
        """Agrees on nothing."""
        raise _refused("this key signs only")


@dataclass(frozen=True, slots=True)
class HandshakeRule:
    """Agrees on secrets with who joins (RFC 9528 §3.2, method 3), and signs nothing."""

    def check_signature(self, data: bytes, at: datetime) -> None:
        """Signs nothing."""
        raise _refused(f"this key agrees on secrets only; {len(data)} bytes at {at.isoformat()} stay unsigned")

    def check_agreement(self) -> None:
        """Pass."""


@dataclass(frozen=True, slots=True)
class GroupRule:
    """Countersigns messages of groups (RFC 10021 §4.1), and proves itself to who joins one (RFC 9594 §4.3.1).

    Attributes:
        proves: whether it does the latter, which is the Group Manager's alone.
    """

    proves: bool = True

    def check_signature(self, data: bytes, at: datetime) -> None:
        """Pass one of the two forms; neither begins as a COSE_Sign1 does."""
        first, *rest = _read(_sequence, data)
        if not rest and isinstance(first, list):
            if len(first) == _COUNTERSIGNED and first[:3] == ["CounterSignature0", b"", b""]:
                return
        elif (
            self.proves
            and len(rest) == 1
            and all(isinstance(one, bytes) and len(one) in _NONCE_SIZES for one in (first, *rest))
        ):
            return
        raise _refused(f"expected a message of a group, or the two nonces of a join, at {at.isoformat()}")

    def check_agreement(self) -> None:
        """Pass: members talk in pairs, too (RFC 10021 §2.5)."""


class LedgerRule:
    """Signs heads of one ledger that only grows: each must be shown to hold the one before (RFC 9162 §2.1.4).

    Args:
        domain: its name.
        signed: size and root of the tree under the newest head; (0, b"") before the first.
        keep: writes them down, before the head is signed.
    """

    def __init__(self, domain: str, signed: tuple[int, bytes], *, keep: Callable[[int, bytes], None]) -> None:
        self._domain = domain
        self._size, self._root = signed
        self._keep = keep
        self._revoked = (0, 0)

    @property
    def size(self) -> int:
        """Entries under the newest head."""
        return self._size

    def extend(self, size: int, root: bytes, path: Sequence[bytes]) -> None:
        """Take a larger tree, once it is shown to begin with the one that was signed.

        The first one is taken as it is: there was nothing before it.

        Raises:
            ForbiddenError: it is smaller, or another ledger.
            StorageError: it was not written down, and is not signed.
        """
        if size < self._size or len(root) != HASH_SIZE:
            raise _refused(f"a head over {self._size} entries was signed; none over {size} follows")
        if self._size:
            try:
                verify_consistency(
                    first_size=self._size, first_root=self._root, second_size=size, second_root=root, path=path
                )
            except ThingsteadError as error:
                raise _refused(f"the {self._size} entries that were signed do not begin the {size}: {error}") from error
        if size != self._size:
            self._keep(size, root)
        self._size, self._root = size, root

    def check_signature(self, data: bytes, at: datetime) -> None:
        """Pass heads and receipts over the tree that was shown, and files of this domain."""
        protected, payload = _sign1(data)
        kind = protected.get(int(Label.TYP))
        if kind == HEAD_TYPE:
            said = _read(codec.decode, payload)
            if not isinstance(said, dict) or [said.get(name) for name in (0, 1, 3)] != [*self._tree(), self._domain]:
                raise _refused(f"expected a head over the {self._size} entries that were shown")
        elif kind in FILE_TYPES:
            said = _read(_large, payload)
            if not isinstance(said, list) or len(said) < 2 or said[1] != self._domain:
                raise _refused(f"expected a file of {self._domain}")
            (self._require_ledger if kind == _BACKUP else self._require_newer)(said)
        elif Label.VDS not in protected or payload != self._root or kind is not None:
            raise _refused(f"expected a head, a receipt or a file, at {at.isoformat()}")

    def check_agreement(self) -> None:
        """Agrees on nothing."""
        raise _refused("this key signs only")

    def _require_ledger(self, said: list[Any]) -> None:
        """A backup is of the ledger whose heads were signed, and of all of it."""
        leaves = said[_BACKUP_LEAVES] if len(said) > _BACKUP_LEAVES else None
        if not isinstance(leaves, list) or not all(isinstance(one, bytes) for one in leaves):
            raise _refused("expected the ledger in a backup")
        known = leaves[: self._size]
        tree = MerkleTree(lambda start, stop: known[start:stop])
        for leaf in known:
            tree.append(leaf)
        if self._size and (tree.size, tree.root()) != self._tree():
            raise _refused(f"expected the {self._size} entries that were signed in a backup")

    def _require_newer(self, said: list[Any]) -> None:
        """A list of what was revoked follows the one before it, as far as this process has seen them."""
        match said[2:4]:
            case [int(epoch), int(entries)] if (epoch, entries) >= self._revoked:
                self._revoked = (epoch, entries)
            case _:
                raise _refused(f"expected a list of what was revoked after {self._revoked}")

    def _tree(self) -> tuple[int, bytes]:
        return self._size, self._root


class RuledKey:
    """A key that is put to what its rule passes and to nothing else, also by the engine that has it.

    Args:
        key: the plane's.
        rule: what it is for.
        utc: now.
    """

    def __init__(self, key: PrivateKey, rule: Rule, *, utc: Callable[[], datetime]) -> None:
        self._key = key
        self._rule = rule
        self._utc = utc

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._key.public

    def sign(self, data: bytes, signature_id: int) -> bytes:
        """Sign; ForbiddenError where that is not what the key is for."""
        self._rule.check_signature(data, self._utc())
        return self._key.sign(data, signature_id)

    def agree(self, peer: PublicKey) -> Secret:
        """Agree; ForbiddenError where that is not what the key is for."""
        self._rule.check_agreement()
        return self._key.agree(peer)


_CLAIMS = frozenset(claim.value for claim in Claim)
_COUNTERSIGNED = 5


def _sign1(data: bytes) -> tuple[dict[Any, Any], bytes]:
    """Protected bucket and payload of what a COSE_Sign1 covers (RFC 9052 §4.4)."""
    match _read(_large, data):
        case ["Signature1", bytes(protected), b"", bytes(payload)]:
            bucket = _read(codec.decode, protected)
            if isinstance(bucket, dict):
                return bucket, payload
    raise _refused("expected what a COSE_Sign1 covers")


def _large(data: bytes) -> Any:
    return codec.decode(data, limits=_LIMITS)


def _sequence(data: bytes) -> list[Any]:
    found = list(codec.decode_sequence(data))
    if not found:
        raise DecodeError("expected something to sign")
    return found


def _read(reader: Callable[[Any], Any], data: Any) -> Any:
    try:
        return reader(data)
    except ThingsteadError as error:
        raise _refused(str(error)) from error


def _refused(message: str) -> ForbiddenError:
    return ForbiddenError(message, reason="keeper")
