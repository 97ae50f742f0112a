"""What a controller reaches in other processes instead of having it in its own."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.crypto.keystore import KeyStore
from thingstead.domain.ports import Enforcement, Witness

__all__ = ["Apart"]


@dataclass(frozen=True, slots=True)
class Apart:
    """Handles on other processes.

    Attributes:
        keys: the domain's, most of them with keepers.
        witness: the keeper of the ledger's key.
        enforcement: who may change the kernel's rules; None where nobody enforces any.
        names: what runs apart, for people.
    """

    keys: KeyStore
    witness: Witness
    enforcement: Enforcement | None
    names: tuple[str, ...]
