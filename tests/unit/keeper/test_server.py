"""A keeper over a real socket: one key, one user, one rule, whatever it is sent."""

import os
import socket
import threading
from contextlib import ExitStack, closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.keeper.test_rule import AT, MADE, TREE, ledger, tree_of
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate, verify
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.errors import ForbiddenError, StorageError, TransportError
from thingstead.identifier import KeyId
from thingstead.keeper.rule import HandshakeRule
from thingstead.keeper.server import Keeper, serve
from thingstead.protocols.cbor import codec
from thingstead.transport.key_socket import Ask, RemoteKeyStore, RemoteWitness

KEY = generate(KeyType.P256)


def keeper(rule, name="domain"):
    return Keeper(name, KEY, rule, utc=lambda: AT)


@pytest.fixture
def at(tmp_path):
    """Serves a rule, and gives the path of its socket."""

    def serving(rule, *, user=None):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.socket"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        user = os.geteuid() if user is None else user
        threading.Thread(target=serve, args=(keeper(rule), listener), kwargs={"user": user}, daemon=True).start()
        return path

    return serving


@pytest.fixture
def store():
    """Opens key stores over a socket, and hangs up in the end."""
    with ExitStack() as stack:

        def opened(path):
            return stack.enter_context(closing(RemoteKeyStore({"domain": path}, MemoryKeyStore())))

        yield opened


def test_a_key_with_its_keeper_agrees_as_one_in_the_process_does(at, store):
    peer = generate(KeyType.P256)
    handle = store(at(HandshakeRule())).handle(KeyId("domain"))
    assert handle.public == KEY.public
    assert handle.agree(peer.public).reveal() == KEY.agree(peer.public).reveal()


def test_a_key_with_its_keeper_signs_what_it_is_for_and_says_no_to_the_rest(at, store):
    path = at(ledger())
    handle, witness = store(path).handle(KeyId("domain")), RemoteWitness(path)
    with pytest.raises(ForbiddenError, match="refuses"):
        handle.sign(MADE["head"], AlgorithmId.ESP256)
    assert witness.size() == 0
    witness.extend(7, TREE.root(), ())
    signature = handle.sign(MADE["head"], AlgorithmId.ESP256)
    verify(KEY.public, signature=signature, data=MADE["head"], signature_id=AlgorithmId.ESP256)
    other = tree_of([b"another"] * 8)
    with pytest.raises(ForbiddenError, match="do not begin"):
        witness.extend(8, other.root(), other.consistency_path(7))
    with pytest.raises(ForbiddenError):
        handle.agree(KEY.public)
    witness.close()


def test_another_user_gets_no_answer(at, store):
    with pytest.raises(TransportError, match="nobody answers"):
        store(at(HandshakeRule(), user=os.geteuid() + 1)).handle(KeyId("domain"))


def test_where_nobody_keeps_the_key_nothing_is_signed(tmp_path, store):
    with pytest.raises(TransportError, match="nobody answers"):
        store(tmp_path / "none").handle(KeyId("domain"))


def test_keys_of_its_own_stay_beside_those_with_keepers(at, store):
    keys = store(at(HandshakeRule()))
    made = keys.create(KeyId("owner"), KeyType.P256)
    assert keys.handle(KeyId("owner")).public == made.public
    assert keys.ids() == {"owner", "domain"}
    for change in (lambda: keys.create(KeyId("domain"), KeyType.P256), lambda: keys.delete(KeyId("domain"))):
        with pytest.raises(StorageError):
            change()
    keys.delete(KeyId("owner"))
    assert keys.ids() == {"domain"}


def test_a_key_that_its_plane_uses_by_itself_is_shown_and_used_for_nobody():
    keys = RemoteKeyStore({}, MemoryKeyStore(), shown={"identity": KEY.public})
    handle = keys.handle(KeyId("identity"))
    assert handle.public == KEY.public
    with pytest.raises(ForbiddenError):
        handle.sign(b"x", AlgorithmId.ESP256)
    with pytest.raises(ForbiddenError):
        handle.agree(KEY.public)
    for change in (lambda: keys.create(KeyId("identity"), KeyType.P256), lambda: keys.delete(KeyId("identity"))):
        with pytest.raises(StorageError):
            change()
    assert keys.ids() == {"identity"}


def test_a_keeper_that_was_started_again_is_asked_again(tmp_path, store):
    path = tmp_path / "again.socket"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def once():
        sock, _ = listener.accept()
        sock.recv(5)
        sock.close()
        serve(keeper(HandshakeRule()), listener, user=os.geteuid())

    threading.Thread(target=once, daemon=True).start()
    assert store(path).handle(KeyId("domain")).public == KEY.public


def test_what_is_refused_is_counted(caplog):
    refusing = keeper(HandshakeRule())
    refusing.answer([int(Ask.SIGN), b"x", -9])
    refusing.answer([99])
    assert refusing.refused == 2
    assert len(caplog.records) == 2


MESSAGES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 5) | st.integers() | st.binary(max_size=40) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=5))
def test_no_message_gets_more_out_of_a_keeper_than_a_refusal_or_its_public_key(message):
    """Whatever is asked, the answer is one of the two forms, and no signature comes of what no rule passes."""
    answer = keeper(ledger()).answer(message)
    assert len(answer) == 2
    assert answer[0] in {0, 1}
    if answer[0] == 0:
        assert message[0] in {Ask.PUBLIC, Ask.SIZE, Ask.EXTEND}
    codec.encode(answer)


@pytest.mark.parametrize(
    "sent",
    [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\1\xff", b"\0\0\0\1\x80", b"\0\0\0\2\x81\x60", b"\0\0\0\5\x81"],
)
def test_bytes_that_are_no_message_end_the_connection_and_not_the_keeper(at, sent, store):
    path = at(HandshakeRule())
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(5)
        assert sock.recv(1) == b""
    assert store(path).handle(KeyId("domain")).public == KEY.public
