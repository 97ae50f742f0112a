"""Who may ask a domain for what: six roles, the rights of each, and the operator who comes as one of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["OWNER", "RIGHTS", "Operator", "Right", "Role", "operator_named"]


class Role(StrEnum):
    """Who has to do with a thing in its life (RFC 8576 §2; R-06)."""

    OWNER = "owner"
    INSTALLER = "installer"
    MAINTAINER = "maintainer"
    USER = "user"
    AUDITOR = "auditor"
    MANUFACTURER = "manufacturer"


class Right(StrEnum):
    """What an operation takes."""

    SEE = "see"
    USE = "use"
    AUDIT = "audit"
    ADMIT = "admit"
    MAINTAIN = "maintain"
    OWN = "own"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.INSTALLER: frozenset({Right.SEE, Right.ADMIT}),
    Role.MAINTAINER: frozenset({Right.SEE, Right.USE, Right.AUDIT, Right.MAINTAIN}),
    Role.USER: frozenset({Right.SEE, Right.USE}),
    Role.AUDITOR: frozenset({Right.SEE, Right.AUDIT}),
    Role.MANUFACTURER: frozenset(),
}
"""The one table. A maker asks a domain for nothing: what it may do, it does by what it signs (identities, vouchers,
releases, MUD files), under the anchor that the owner trusts."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever asks, once it is known who that is.

    Attributes:
        role: what they come as.
        name: what they are called; empty where the role says it all.
        proof: the request as they signed it; empty where the kernel said who they are.
    """

    role: Role
    name: str = ""
    proof: bytes = b""

    @property
    def actor(self) -> str:
        """What the ledger calls them."""
        return f"{self.role}:{self.name}" if self.name else self.role.value

    def may(self, right: Right) -> bool:
        """Whether the role has this right."""
        return right in RIGHTS[self.role]


def operator_named(actor: str) -> Operator:
    """Whom the ledger calls so.

    Raises:
        ValueError: nobody with a role.
    """
    role, _, name = actor.partition(":")
    return Operator(Role(role), name)


OWNER = Operator(Role.OWNER)
"""Whoever owns the domain's files."""
