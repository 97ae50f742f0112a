"""Who asks: the kernel's word on the user, or a signature; what they may then do is for `Operations` to say."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.installers import Installers
from thingstead.controller.operation import Operations, refusal
from thingstead.crypto.key import PublicKey
from thingstead.domain.role import OWNER, Operator, Role
from thingstead.errors import ConfigError, ThingsteadError, UntrustedError
from thingstead.protocols.profile import signed_request
from thingstead.protocols.profile.signed_request import CHALLENGE_SIZE
from thingstead.storage.operator_file import Operators

__all__ = ["Challenges", "Gate"]

_OPEN = 256
_LIFETIME = 60.0
_AUDITOR = Operator(Role.AUDITOR)


class Challenges:
    """Challenges that are open: each is good once, and for a minute; the oldest gives way.

    Args:
        domain: the domain's name.
        clock: for monotonic time.
        random_bytes: a source of randomness.
    """

    def __init__(self, domain: str, *, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self.domain = domain
        self._clock = clock
        self._random_bytes = random_bytes
        self._open: dict[bytes, float] = {}

    def open(self) -> bytes:
        """A fresh one."""
        fresh = self._random_bytes(CHALLENGE_SIZE)
        if len(self._open) >= _OPEN:
            del self._open[next(iter(self._open))]
        self._open[fresh] = self._clock.now() + _LIFETIME
        return fresh

    def spend(self, challenge: bytes) -> None:
        """Take a challenge that was answered.

        Raises:
            UntrustedError: it is not open: never given, answered before, or too old.
        """
        if self._open.pop(challenge, 0.0) <= self._clock.now():
            raise UntrustedError("the request was signed for a challenge that is not open; ask again", reason="replay")


class Gate:
    """Finds out who asks.

    Args:
        operations: what may be asked.
        challenges: what requests are signed for.
        installers: who may approve things.
        operators: who else may ask, as it is written now.
        on_refusal: told why somebody was not let in.
    """

    def __init__(
        self,
        operations: Operations,
        challenges: Challenges,
        *,
        installers: Installers,
        operators: Callable[[], Operators],
        on_refusal: Callable[[str], None],
    ) -> None:
        self._operations = operations
        self._challenges = challenges
        self._installers = installers
        self._operators = operators
        self._on_refusal = on_refusal

    async def answer_owner(self, asked: dict[str, Any], _uid: int) -> dict[str, Any]:
        """Answer at the owner's socket, where only the owner's user comes; what is signed is its signer's."""
        return await self._answer(asked, lambda: OWNER)

    async def answer_member(self, asked: dict[str, Any], uid: int) -> dict[str, Any]:
        """Answer a member of the observers' group as what the operators' file says, or else as an auditor."""
        return await self._answer(asked, lambda: self._operators().users.get(uid, _AUDITOR))

    async def _answer(self, asked: dict[str, Any], who: Callable[[], Operator]) -> dict[str, Any]:
        try:
            operator, request = self._signer(asked["signed"]) if set(asked) == {"signed"} else (who(), asked)
        except ThingsteadError as error:
            self._on_refusal(error.reason)
            return refusal(error)
        return await self._operations.answer(request, operator=operator)

    def _signer(self, text: object) -> tuple[Operator, dict[str, Any]]:
        """Who signed, and what.

        Raises:
            ConfigError: not base64url, or the operators' file cannot be read.
            UntrustedError: nobody's key, or not for a challenge of ours that is open.
            AuthenticationError, DecodeError, UnsupportedError: as `signed_request.authenticate`.
        """
        try:
            encoded = base64.b64decode(str(text), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigError(f"expected a signed request in base64url: {error}") from error
        public, operator = self._find(signed_request.decode_signer(encoded))
        request = signed_request.authenticate(encoded, public, domain=self._challenges.domain)
        self._challenges.spend(request.challenge)
        asked = {"operation": request.operation, "arguments": dict(request.arguments)}
        return replace(operator, proof=request.encoded), asked

    def _find(self, thumbprint: bytes) -> tuple[PublicKey, Operator]:
        found = self._installers.identify(thumbprint) or self._operators().keys.get(thumbprint)
        if found is None:
            raise UntrustedError(f"the key {thumbprint.hex()[:16]} is nobody's who may ask here", reason="operator")
        return found
