"""One end of an OSCORE association as a process of its own: a context file, a socket, and work without a pause.

It serves and asks at once, observes the other end and is observed, so that both keys protect requests, responses
and notifications. What it does it tells a pipe before anything leaves: what a pipe holds survives `kill -9`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import select
import socket
import struct
import time
from pathlib import Path

from thingstead.crypto.aead import Aead, aead
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import (
    Address,
    AssociationId,
    Event,
    ExchangeFailed,
    ExchangeId,
    RequestReceived,
    ResponseReceived,
    SequenceNeeded,
)
from thingstead.endpoint.exchange import ServerExchange
from thingstead.protocols.coap.code import is_error
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.reliability import TransmissionParameters
from thingstead.protocols.oscore import context as oscore_context
from thingstead.secret import Secret
from thingstead.storage.oscore_context import ContextFile

__all__ = ["ACCEPTED", "ANSWERED", "BOUND", "PROTECTED", "RECORD", "live"]

RECORD = struct.Struct(">cB8s16s6s")
"""Kind, party, key or nothing, nonce or number, digest: 32 bytes, which a pipe takes whole."""

PROTECTED, ACCEPTED, ANSWERED, BOUND = b"P", b"A", b"R", b"B"

_PEER = AssociationId("peer")
_ASKING = 4
_NOTIFY_EVERY = 0.004
_OBSERVE = int(OptionNumber.OBSERVE)
_CONFIG = EndpointConfig(
    transmission=TransmissionParameters(ack_timeout=0.03, ack_random_factor=1.2, max_retransmit=3, nstart=_ASKING + 1),
    response_timeout=0.5,
    ack_delay=0.02,
    sequence_stride=32,
)


class _Recording:
    """An AEAD that tells each (key, nonce) it encrypts under before the ciphertext is anybody's."""

    def __init__(self, cipher: Aead, key: Secret, journal: _Journal) -> None:
        self.nonce_size, self.tag_size = cipher.nonce_size, cipher.tag_size
        self.decrypt = cipher.decrypt
        self._cipher = cipher
        self._name = hashlib.sha256(key.reveal()).digest()[:8]
        self._journal = journal

    def encrypt(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        ciphertext = self._cipher.encrypt(nonce, plaintext, aad)
        self._journal.tell(PROTECTED, key=self._name, data=nonce, digest=hashlib.sha256(ciphertext).digest()[:6])
        return ciphertext


class _Journal:
    def __init__(self, party: int, pipe: int) -> None:
        self._party = party
        self._pipe = pipe

    def tell(self, kind: bytes, *, key: bytes = b"", data: bytes = b"", digest: bytes = b"") -> None:
        os.write(self._pipe, RECORD.pack(kind, self._party, key, data.rjust(16, b"\0"), digest))

    def record(self) -> None:
        """From now on every AEAD of an OSCORE context tells."""

        def recording(aead_id: int, key: Secret, *, max_size: int) -> _Recording:
            return _Recording(aead(aead_id, key, max_size=max_size), key, self)

        vars(oscore_context)["aead"] = recording


def live(party: int, file: Path, peer: Address, pipe: int) -> None:
    """Serve and ask until killed."""
    journal = _Journal(party, pipe)
    journal.record()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    journal.tell(BOUND, data=sock.getsockname()[1].to_bytes(2, "big"))
    _Party(ContextFile.open(file), sock, peer, journal).run()


class _Party:
    def __init__(self, file: ContextFile, sock: socket.socket, peer: Address, journal: _Journal) -> None:
        self._file = file
        self._sock = sock
        self._peer = peer
        self._journal = journal
        self._endpoint = Endpoint(_CONFIG, random_bytes=secrets.token_bytes)
        self._endpoint.install(Association(_PEER, file.context(), address=peer))
        self._asking: set[ExchangeId] = set()
        self._observing: ExchangeId | None = None
        self._observer: ExchangeId | None = None
        self._notified = 0.0

    def run(self) -> None:
        while True:
            now = time.monotonic()
            self._ask(now)
            self._notify(now)
            while (event := self._endpoint.next_event()) is not None:
                self._on_event(event, now)
            for data, destination in self._endpoint.datagrams_to_send(now):
                self._sock.sendto(data, destination)
            select.select([self._sock], [], [], 0.002)
            try:
                while True:
                    data, source = self._sock.recvfrom(2048)
                    self._endpoint.receive_datagram(data, source, time.monotonic())
            except BlockingIOError:
                continue

    def _ask(self, now: float) -> None:
        while len(self._asking) < _ASKING:
            asked = request(Code.POST, "/work", payload=secrets.token_bytes(8))
            self._asking.add(self._endpoint.send_request(asked, self._peer, now, association=_PEER))
        if self._observing is None:
            look = request(Code.GET, "/state")
            self._observing = self._endpoint.send_request(look, self._peer, now, association=_PEER, observe=True)

    def _notify(self, now: float) -> None:
        if self._observer is not None and now - self._notified > _NOTIFY_EVERY:
            self._notified = now
            state = Message(Code.CONTENT, options=[(_OBSERVE, b"")], payload=secrets.token_bytes(8))
            self._endpoint.send_response(self._observer, state, now)

    def _on_event(self, event: Event, now: float) -> None:
        match event:
            case RequestReceived():
                assert isinstance(event, ServerExchange)
                self._journal.tell(ACCEPTED, data=event.binding.partial_iv)
                if event.observe:
                    self._observer = event.exchange
                options = [(_OBSERVE, b"")] if event.observe else []
                code = Code.CONTENT if event.observe else Code.CHANGED
                self._endpoint.send_response(event.exchange, Message(code, options=options), now)
            case ResponseReceived():
                if not is_error(event.message.code):
                    self._journal.tell(ANSWERED)
                if event.is_last:
                    self._forget(event.exchange)
            case ExchangeFailed():
                self._forget(event.exchange)
            case SequenceNeeded():
                self._file.reserve(event.upto)
                self._endpoint.sequence_reserved(event.association, event.upto)

    def _forget(self, exchange: ExchangeId) -> None:
        self._asking.discard(exchange)
        if exchange == self._observing:
            self._observing = None
