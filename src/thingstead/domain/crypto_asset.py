"""A cryptographic asset: something that holds because of an algorithm, and who depends on it; never a secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from thingstead.identifier import ThingId

__all__ = ["AssetKind", "CryptoAsset"]


class AssetKind(StrEnum):
    """What it is."""

    KEY = "key"
    CREDENTIAL = "credential"
    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105  the word, not one
    CONTEXT = "context"
    SIGNATURE = "signature"
    PROTOCOL = "protocol"


@dataclass(frozen=True, slots=True)
class CryptoAsset:
    """One asset, or several that differ in whose they are only.

    Attributes:
        kind: what it is.
        name: for people, e.g. ``access token``; one name for what is of one sort.
        algorithms: names that `crypto.lifetime` knows; it holds while all of them do.
        things: who stops working without it.
        since: from when on it counts; None where nobody wrote that down.
        until: first instant at which it counts no more; None where it has no end.
        replaceable: whether things get another by joining anew, with another algorithm where both sides have one.
    """

    kind: AssetKind
    name: str
    algorithms: tuple[str, ...]
    things: tuple[ThingId, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    replaceable: bool = False
