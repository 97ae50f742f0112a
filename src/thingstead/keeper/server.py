"""What a keeper does: it answers for one key, to one user, within the key's rule, until it is ended."""

from __future__ import annotations

import logging
import selectors
import socket
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from thingstead.crypto.key import KeyType, PrivateKey, PublicKey
from thingstead.errors import ForbiddenError, ThingsteadError, TransportError
from thingstead.keeper.rule import LedgerRule, Rule
from thingstead.transport import frame
from thingstead.transport.key_socket import Ask

__all__ = ["Answering", "Keeper", "serve"]

_LOGGER = logging.getLogger(__name__)
_PATIENCE = 5.0
_MAX_CONNECTIONS = 8


class Answering(Protocol):
    """Who answers one message with one."""

    def answer(self, message: list[Any]) -> list[Any]:
        """Never raises what a message could bring about."""
        ...


class Keeper:
    """One key and what it may be put to.

    Attributes:
        refused: how often it was asked for something else.
    """

    def __init__(self, name: str, key: PrivateKey, rule: Rule, *, utc: Callable[[], datetime]) -> None:
        self._name = name
        self._key = key
        self._rule = rule
        self._utc = utc
        self.refused = 0

    def answer(self, message: list[Any]) -> list[Any]:
        """Answer one message; what is refused is counted, and logged in one line."""
        try:
            return [frame.DONE, self._answer(message)]
        except (ThingsteadError, ValueError) as error:
            self.refused += 1
            _LOGGER.warning("keeper of %s: refused, number %d: %s", self._name, self.refused, error)
            return [frame.REFUSED, str(error)[:200]]

    def _answer(self, message: list[Any]) -> Any:
        match message:
            case [Ask.PUBLIC]:
                public = self._key.public
                return [int(public.type), public.x, public.y]
            case [Ask.SIGN, bytes(data), int(signature_id)]:
                self._rule.check_signature(data, self._utc())
                return self._key.sign(data, signature_id)
            case [Ask.AGREE, int(key_type), bytes(x), bytes(y)]:
                self._rule.check_agreement()
                return self._key.agree(PublicKey(KeyType(key_type), x, y)).reveal()
            case [Ask.SIZE] if isinstance(self._rule, LedgerRule):
                return self._rule.size
            case [Ask.EXTEND, int(size), bytes(root), list(path)] if isinstance(self._rule, LedgerRule):
                if not all(isinstance(one, bytes) for one in path):
                    raise ForbiddenError("expected hashes in a path", reason="keeper")
                return self._rule.extend(size, root, path)
        raise ForbiddenError("expected something that is asked of this keeper", reason="keeper")


def serve(keeper: Answering, listener: socket.socket, *, user: int) -> None:
    """Answer whoever connects as `user`, and nobody else, not even root; never returns."""
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                if sock is listener:
                    _welcome(selector, listener, user)
                elif not _answer_one(keeper, sock):
                    selector.unregister(sock)
                    sock.close()


def _welcome(selector: selectors.BaseSelector, listener: socket.socket, user: int) -> None:
    sock, _ = listener.accept()
    found = frame.peer_user(sock)
    if found != user or len(selector.get_map()) > _MAX_CONNECTIONS:
        _LOGGER.warning("keeper: a connection by user %d was closed; user %d may ask", found, user)
        sock.close()
        return
    sock.settimeout(_PATIENCE)
    selector.register(sock, selectors.EVENT_READ)


def _answer_one(keeper: Answering, sock: socket.socket) -> bool:
    """Whether the connection goes on."""
    try:
        frame.send(sock, keeper.answer(frame.receive(sock)))
    except TransportError:
        return False
    except (ThingsteadError, OSError) as error:
        _LOGGER.warning("keeper: a connection was closed: %s", error)
        return False
    return True
