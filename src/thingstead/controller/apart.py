"""What a controller reaches in other processes instead of having it in its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from thingstead.crypto.keystore import KeyStore
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Witness
from thingstead.transport.engine_socket import EngineSocket

__all__ = ["Apart"]


@dataclass(frozen=True, slots=True)
class Apart:
    """Handles on other processes.

    Attributes:
        keys: the domain's, most of them with keepers.
        witness: the keeper of the ledger's key.
        engines: where the engines of planes are asked.
        processes: what runs apart, for people: each with its user, where it has one of its own.
    """

    keys: KeyStore
    witness: Witness
    engines: Mapping[PlaneName, EngineSocket]
    processes: tuple[str, ...]
