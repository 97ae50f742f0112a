"""Handles on keys elsewhere, against keepers that answer whatever they like; with real ones: unit/keeper."""

import socket
import threading
from contextlib import ExitStack, closing, suppress

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.errors import DecodeError, ForbiddenError, StorageError, ThingsteadError, TransportError
from thingstead.identifier import KeyId
from thingstead.transport import frame
from thingstead.transport.key_socket import RemoteKeyStore, RemoteWitness

PUBLIC = generate(KeyType.P256).public
KNOWN = [0, [int(PUBLIC.type), PUBLIC.x, PUBLIC.y]]
NAME = KeyId("access")


@pytest.fixture
def answering(tmp_path):
    """A keeper that gives these answers, one after the other; its path."""
    with ExitStack() as stack:

        def begin(*answers):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(tmp_path / "access.socket"))
            listener.listen()

            def run():
                left = list(answers)
                with suppress(OSError):
                    while left:
                        sock, _ = listener.accept()
                        with sock, suppress(ThingsteadError):
                            while left:
                                frame.receive(sock)
                                frame.send(sock, left.pop(0))

            threading.Thread(target=run, daemon=True).start()
            return stack.enter_context(closing(RemoteKeyStore({NAME: tmp_path / "access.socket"}, MemoryKeyStore())))

        yield begin


def test_what_the_keeper_says_is_the_handle_s(answering):
    handle = answering(KNOWN, [0, b"signature"], [0, b"secret"]).handle(NAME)
    assert handle.public == PUBLIC
    assert handle.sign(b"data", -9) == b"signature"
    assert handle.agree(PUBLIC).reveal() == b"secret"


def test_a_refusal_is_told_with_its_reason(answering):
    handle = answering(KNOWN, [1, "not of this plane"]).handle(NAME)
    with pytest.raises(ForbiddenError, match="access refuses: not of this plane"):
        handle.sign(b"data", -9)


@pytest.mark.parametrize("answer", [[0], [2, b""], [0, 1, 2], [1, "a", "b"]], ids=str)
def test_an_answer_of_another_form_is_none(answering, answer):
    with pytest.raises(TransportError, match="nobody answers"):
        answering(answer, answer).handle(NAME)


@pytest.mark.parametrize(
    "public",
    [b"", [1], [int(PUBLIC.type), b"", b""], ["1", PUBLIC.x, PUBLIC.y]],
    ids=["no array", "too short", "no key", "type as text"],
)
def test_what_is_no_public_key_makes_no_handle(answering, public):
    with pytest.raises(DecodeError):
        answering([0, public]).handle(NAME)


def test_keys_with_keepers_are_neither_made_nor_forgotten_here(tmp_path):
    keys = RemoteKeyStore({NAME: tmp_path / "none"}, MemoryKeyStore())
    for change in (lambda: keys.create(NAME, KeyType.P256), lambda: keys.delete(NAME)):
        with pytest.raises(StorageError):
            change()
    assert keys.ids() == {NAME}


def test_without_its_keeper_a_ledger_is_not_shown(tmp_path):
    with pytest.raises(TransportError):
        RemoteWitness(tmp_path / "none").size()
