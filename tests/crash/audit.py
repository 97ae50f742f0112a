"""What may never be seen on the wire: a nonce that protects two things, an answer to whoever was cut off.

Keys are not known here. A sender key belongs to one association, which is named by the connection identifiers of
the handshake that made it: C_R, the kid of the thing's requests, is three random bytes and tells it alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from tests.crash.wire import OSCORE, Oscore, Wire, edhoc_connection, parse, read_oscore

__all__ = ["Audit", "GroupAudit"]

_POST = 2
_CHANGED = 0x44
_LARGEST_POLL = 72
"""Bytes of a protected poll for a release; a reading takes more."""


@dataclass(slots=True)
class Audit:
    """Follows one thing's datagrams, in the order they passed the relay.

    Attributes:
        name: whose they are, for people.
        violations: what must not be, in sentences.
        counts: what was seen.
        answered_at: UTC seconds of the controller's newest protected response.
        answers: UTC seconds of its responses to readings.
        is_member: the controller has answered it under OSCORE.
        is_leaving: it may be refused and may try to join anew: somebody is cutting it off.
        cut_at: number of the first datagram after it was cut off for good or for the time being.
    """

    name: str
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    answered_at: float = 0.0
    answers: list[float] = field(default_factory=list)
    is_member: bool = False
    is_leaving: bool = False
    cut_at: int | None = None
    _passed: int = 0
    _seen: dict[tuple[object, ...], bytes] = field(default_factory=dict)
    _first: dict[tuple[object, ...], int] = field(default_factory=dict)
    _requests: dict[tuple[bool, bytes], tuple[tuple[object, ...], Wire, Oscore | None]] = field(default_factory=dict)
    _associations: dict[bytes, bytes] = field(default_factory=dict)
    _connection: bytes = b""
    _c_r: bytes = b""

    def cut_off(self) -> None:
        """From the next datagram on nothing of it may be accepted."""
        self.cut_at = self._passed

    def welcome(self) -> None:
        """It may come back."""
        self.cut_at = None

    def pass_by(self, data: bytes, *, to_controller: bool, at: float) -> None:
        """Note one datagram."""
        self._passed += 1
        if len(data) < 4 or data[1] == 0:
            return
        message = parse(data)
        value = message.options.get(OSCORE)
        option = None if value is None else read_oscore(value)
        if message.is_request:
            self._request(message, option, to_controller)
        elif message.is_response:
            self._response(message, option, to_controller, at)

    def _request(self, message: Wire, option: Oscore | None, up: bool) -> None:
        nonce: tuple[object, ...]
        if option is None:
            nonce = ("clear", up, hashlib.sha256(message.payload).digest())
            if up:
                self._handshake(message)
        else:
            self.counts["requests up" if up else "requests down"] += 1
            nonce = ("own", up, self._association(option.kid or b"", up), option.partial_iv)
            self._spend(nonce, message.payload)
        self._first.setdefault(nonce, self._passed)
        self._requests[up, message.token] = (nonce, message, option)

    def _response(self, message: Wire, option: Oscore | None, up: bool, at: float) -> None:
        asked = self._requests.get((not up, message.token))
        if asked is None:
            return
        nonce, request, request_option = asked
        if option is not None and request_option is not None:
            self.counts["responses up" if up else "responses down"] += 1
            association = self._association(request_option.kid or b"", not up)
            if option.partial_iv is None:
                spent: tuple[object, ...] = ("of request", up, association, request_option.partial_iv)
            else:
                self.counts["responses with a number"] += 1
                spent = ("own", up, association, option.partial_iv)
            self._spend(spent, message.payload)
        if up:
            return
        joined = option is None and message.code == _CHANGED and edhoc_connection(request.payload) is not None
        if option is not None:
            self.is_member = True
            self.answered_at = at
            if len(request.payload) > _LARGEST_POLL:
                self.answers.append(at)
        if joined:
            self.counts["joins"] += 1
        if self.cut_at is not None and (joined or option is not None) and self._first[nonce] > self.cut_at:
            what = "its join was accepted" if joined else "a request of it was accepted"
            self.violations.append(f"{self.name}: {what} after it was cut off")

    def _handshake(self, message: Wire) -> None:
        c_r = edhoc_connection(message.payload)
        if c_r is None:
            self._connection = message.payload[-1:]
            self.counts["join attempts"] += 1
            if self.is_member and not self.is_leaving:
                self.violations.append(f"{self.name}: joins again although it was a member")
            return
        self._associations[self._connection] = c_r
        self._c_r = c_r

    def _association(self, kid: bytes, up: bool) -> bytes:
        """C_R of the association; requests of the controller name C_I."""
        return kid if up else self._associations.get(_as_encoded(kid), self._c_r)

    def _spend(self, nonce: tuple[object, ...], ciphertext: bytes) -> None:
        digest = hashlib.sha256(ciphertext).digest()
        if self._seen.setdefault(nonce, digest) != digest:
            self.violations.append(f"{self.name}: two ciphertexts under one nonce {nonce}")


def _as_encoded(kid: bytes) -> bytes:
    """The last byte of message_1 that ends in this C_I: it is one byte long, alone or behind its CBOR head."""
    return kid[-1:]


@dataclass(slots=True)
class GroupAudit:
    """Follows what is sent to the things' group: who commands it spends each number once in an epoch.

    Attributes:
        violations: what must not be, in sentences.
        commands: how many were heard.
    """

    violations: list[str] = field(default_factory=list)
    commands: int = 0
    _seen: dict[tuple[bytes | None, bytes | None, bytes | None], bytes] = field(default_factory=dict)

    def pass_by(self, data: bytes) -> None:
        """Note one datagram."""
        message = parse(data)
        option = read_oscore(message.options.get(OSCORE, b""))
        self.commands += 1
        nonce = (option.kid_context, option.kid, option.partial_iv)
        if self._seen.setdefault(nonce, message.payload) != message.payload:
            self.violations.append(f"two commands to a group under one nonce {nonce}")
