"""What the owner trusts of a maker: one file per maker, added by hand, taken away by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import key_set, maker_server, succession
from thingstead.protocols.profile.key_set import EVERY_KEY, KeySet, SigningPolicy
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.protocols.profile.succession import UpdateKeys

__all__ = ["TrustAnchor", "decode", "dropped_steps", "encode", "follow", "succeeds"]

_FORMAT = 1
_WITH_SERVER = 2
_WITH_SIGNING = 3
_EXPECTED = f"expected a trust anchor file of format {_FORMAT}, {_WITH_SERVER} or {_WITH_SIGNING}"
_LIMITS = codec.Limits(max_bytes=1 << 18, max_depth=8)


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """Keys of one maker, each for its own use.

    Attributes:
        maker: the name its identities are issued under.
        identity_key: signs maker identities and vouchers.
        release_keys: those that sign releases now, as many as `signing` says.
        vendor_id: RFC 9124 vendor identifier, 16 bytes.
        mud_authorities: DER certificates that MUD file signers chain to.
        dns_name: the maker's own DNS name: its MUD files come from there or below, and nobody else's do.
        server: the maker's, which says whose its things are; None where the owner gave none, and nobody is asked.
        signing: how many of the release keys are enough; every one of them where a file of yesterday says nothing.
        first: the release keys that things of the maker were born with, where others follow them; None where not.
        steps: from those to the ones of now (`thingstead.protocols.profile.succession`), for things that slept.
    """

    maker: str
    identity_key: PublicKey
    release_keys: tuple[PublicKey, ...]
    vendor_id: bytes
    mud_authorities: tuple[bytes, ...] = ()
    dns_name: str = ""
    server: MakerServer | None = None
    signing: SigningPolicy = EVERY_KEY
    first: KeySet | None = None
    steps: tuple[bytes, ...] = ()

    def speaks_for(self, host: str) -> bool:
        """Whether `host` is the maker's: its name, or below it."""
        name = self.dns_name.lower()
        return bool(name) and (host.lower() == name or host.lower().endswith(f".{name}"))

    @property
    def states(self) -> tuple[UpdateKeys, ...]:
        """Which keys signed, step by step, up to now; every step is verified again.

        Raises:
            SecurityError, ProtocolError: a step that does not follow.
        """
        states = [succession.begin(self.first or KeySet(self.release_keys, self.signing))]
        for step in self.steps:
            states.append(succession.follow(states[-1], step))
        return tuple(states)

    @property
    def update_keys(self) -> UpdateKeys:
        """Which keys sign now; errors as for `states`."""
        return self.states[-1]

    @property
    def steady(self) -> UpdateKeys:
        """What is given to who begins now, between two sets of keys the old one: he walks as all others do."""
        return next(state for state in reversed(self.states) if state.incoming is None)


def follow(anchor: TrustAnchor, steps: Sequence[bytes]) -> TrustAnchor:
    """The same maker after these steps.

    Raises:
        SecurityError, ProtocolError: as for `succession.walk`.
    """
    first = anchor.first or KeySet(anchor.release_keys, anchor.signing)
    walked = (*anchor.steps, *steps)
    keys = succession.walk(succession.begin(first), walked).effective
    return replace(anchor, release_keys=keys.keys, signing=keys.signing, first=first, steps=walked)


def succeeds(anchor: TrustAnchor, before: TrustAnchor) -> tuple[bytes, ...]:
    """The steps by which an anchor goes on from another of the same maker; none where they are the same.

    Raises:
        UntrustedError: it is of another maker, or its keys do not come from the other's by signed steps ("succession").
    """
    ours = [before.first or KeySet(before.release_keys, before.signing), *before.steps]
    theirs = [anchor.first or KeySet(anchor.release_keys, anchor.signing), *anchor.steps]
    if anchor.maker != before.maker or anchor.identity_key != before.identity_key or theirs[: len(ours)] != ours:
        raise UntrustedError(
            f"expected the anchor of {before.maker} that is trusted, and steps that follow it", reason="succession"
        )
    return anchor.steps[len(before.steps) :]


def dropped_steps(anchor: TrustAnchor, before: TrustAnchor) -> int:
    """How many steps of a migration end with an anchor that takes another's place; 0 where it goes on from it."""
    ours, theirs = before.first or KeySet(before.release_keys, before.signing), anchor.first
    begins_alike = ours == (theirs or KeySet(anchor.release_keys, anchor.signing))
    goes_on = begins_alike and anchor.steps[: len(before.steps)] == before.steps
    return 0 if goes_on else len(before.steps)


def encode(anchor: TrustAnchor) -> bytes:
    """Encode for a file; nothing in it is secret. It has the oldest format that holds it, so that older readers do."""
    origin = anchor.first or KeySet(anchor.release_keys, anchor.signing)
    fields = [
        anchor.maker,
        cose_key.public_map(anchor.identity_key),
        [cose_key.public_map(key) for key in origin.keys],
        anchor.vendor_id,
        list(anchor.mud_authorities),
        anchor.dns_name,
    ]
    server = None if anchor.server is None else maker_server.to_list(anchor.server)
    if origin.signing != EVERY_KEY or anchor.steps:
        return codec.encode([_WITH_SIGNING, *fields, server, key_set.to_list(origin.signing), list(anchor.steps)])
    return codec.encode([_FORMAT, *fields] if server is None else [_WITH_SERVER, *fields, server])


def decode(data: bytes) -> TrustAnchor:
    """Read a maker's file.

    Raises:
        DecodeError: not one, or of another format.
        UnsupportedError: a key that we do not have an algorithm for.
        SecurityError, StateError: steps to other release keys that are not signed as they must be.
    """
    match codec.decode(data, limits=_LIMITS):
        case [
            int(version),
            str(maker),
            dict(identity),
            list(releases),
            bytes(vendor_id),
            list(authorities),
            str(dns_name),
            *rest,
        ] if len(vendor_id) == 16 and all(isinstance(item, bytes) for item in authorities):
            release_keys = [cose_key.from_map(item).require_public() for item in releases]
            identity_key = cose_key.from_map(identity).require_public()
            server, signing, steps = _rest(version, rest, maker=maker)
            keys = key_set.from_list(signing, release_keys)
            read = TrustAnchor(
                maker, identity_key, keys.keys, vendor_id, tuple(authorities), dns_name, server, keys.signing
            )
            return follow(read, steps) if steps else read
        case _:
            raise DecodeError(_EXPECTED)


def _rest(version: int, rest: list[Any], *, maker: str) -> tuple[MakerServer | None, list[Any], tuple[bytes, ...]]:
    """What the formats differ in: the server, how many must sign, and who signs since."""
    match version, rest:
        case 1, []:
            return None, [], ()
        case 2, [list(items)]:
            return _server(items, maker=maker), [], ()
        case 3, [list() | None as items, list(signing), list(steps)] if all(isinstance(one, bytes) for one in steps):
            return None if items is None else _server(items, maker=maker), signing, tuple(steps)
        case _:
            raise DecodeError(_EXPECTED)


def _server(items: list[Any], *, maker: str) -> MakerServer:
    server = maker_server.from_list(items)
    if server.maker != maker:
        raise DecodeError(f"expected a server of {maker[:40]!r}, got one of {server.maker!r}")
    return server
