"""EDHOC over CoAP against aiocoap, unmodified, in both roles: message_3 by itself, and with the request (RFC 9668)."""

import socket
import subprocess
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from secrets import token_bytes
from typing import Any

import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import initiator, responder
from thingstead.crypto.key import KeyType, generate
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId, RequestReceived, SequenceNeeded
from thingstead.errors import AuthenticationError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.message import Message, MessageType, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.combined_request import combine, is_combined, split
from thingstead.protocols.edhoc.credential import Credential, kccs_reference, kid_reference
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import (
    protect_request,
    protect_response,
    read_option,
    unprotect_request,
    unprotect_response,
)

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.spec("RFC 9668 3")]

SCRIPT = Path(__file__).parent / "aiocoap_edhoc_party.py"
OUR_KEY, THEIR_KEY = generate(KeyType.P256), generate(KeyType.P256)
OURS, THEIRS = (
    ccs.encode(key.public, kid=kid, subject=name)
    for key, kid, name in ((OUR_KEY, b"\x2b", "ours"), (THEIR_KEY, b"\x32", "aiocoap"))
)
OUR_CREDENTIAL = Credential(kid_reference(b"\x2b"), OURS, OUR_KEY.public)
STYLES = {"by-key-id": kid_reference(b"\x32"), "by-value": kccs_reference(THEIRS)}
PATIENCE = 15


def credentials(where, *, style, combined=True, ours=OURS):
    """What aiocoap reads: its own key and claims set, and ours as the peer's."""
    key = {1: 2, -1: 1, -4: THEIR_KEY.private_bytes().reveal()}
    own = {"own_cred_style": style, "own_cred": {14: codec.decode(THEIRS)}, "private_key": key}
    peer = {"peer_cred": {14: codec.decode(ours)}, "use_combined_edhoc": combined}
    return codec.encode({where: {"edhoc-oscore": {"suite": 2, "method": 3, **own, **peer}}}).hex()


def context(parameters):
    return SecurityContext.derive(
        parameters.master_secret,
        master_salt=parameters.master_salt,
        sender_id=parameters.sender_id,
        recipient_id=parameters.recipient_id,
        aead_id=parameters.aead_id,
        digest_id=parameters.digest_id,
    )


class Server:
    """We answer: the Responder, then a resource under the context that the handshake leads to."""

    def __init__(self, style):
        self.id_cred = STYLES[style]
        self.waiting: Any = None
        self.context: Any = None
        self.seen: list[str] = []

    def answer(self, arrived):
        if is_combined(arrived):
            self.seen.append("combined")
            parts = split(arrived)
            received = self.waiting.receive(parts.message_3)
            assert received.id_cred_i.id_cred == self.id_cred
            completed = received.authenticate(self.peer()).complete_without_message_4()
            self.context = context(completed.oscore())
            arrived = parts.request
        if arrived.option(OptionNumber.OSCORE) is not None:
            self.seen.append("request")
            inner, binding = unprotect_request(arrived, context=self.context, option=read_option(arrived))
            assert inner.path == "/hello"
            return protect_response(Message(Code.CONTENT, payload=b"welcome"), binding=binding)
        c_r, message = coap_carriage.parse_request(arrived.payload)
        if c_r is None:
            self.seen.append("message_1")
            accepted = responder(ephemeral=generate).receive(message)
            message_2, self.waiting = accepted.message_2(b"\x18", OUR_CREDENTIAL, key=OUR_KEY)
            return Message(Code.CHANGED, payload=message_2)
        self.seen.append("message_3")
        message_4, completed = self.waiting.receive(message).authenticate(self.peer()).message_4()
        self.context = context(completed.oscore())
        return Message(Code.CHANGED, payload=message_4)

    def peer(self):
        return Credential(self.id_cred, THEIRS, THEIR_KEY.public)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("combined", [True, False], ids=["combined", "in turn"])
def test_aiocoap_joins_us(peer_python, style, combined):
    server = Server(style)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as ear:
        ear.bind(("::1", 0))
        ear.settimeout(PATIENCE)
        origin = f"coap://[::1]:{ear.getsockname()[1]}"
        arguments = ["client", f"{origin}/hello", credentials(f"{origin}/*", style=style, combined=combined)]
        with subprocess.Popen([peer_python, SCRIPT, *arguments], stdout=subprocess.PIPE, text=True) as peer:
            for _ in range(2 if combined else 3):
                data, source = ear.recvfrom(2048)
                arrived = coap.decode(data)
                answer = server.answer(arrived)
                ear.sendto(coap.encode_as(answer, MessageType.ACK, arrived.mid, arrived.token), source)
            output, _ = peer.communicate(timeout=PATIENCE)
    assert bytes.fromhex(output) == b"welcome"
    assert server.seen == (["message_1", "combined", "request"] if combined else ["message_1", "message_3", "request"])


@pytest.mark.spec("RFC 9668 3.3.1")
@pytest.mark.parametrize("style", STYLES)
def test_aiocoap_joins_our_endpoint_with_its_first_request(peer_python, style):
    """Nothing here takes the combined request apart: the endpoint does."""
    side = Endpoint(EndpointConfig(edhoc_path=coap_carriage.WELL_KNOWN_PATH), random_bytes=token_bytes)
    server = Server(style)

    def answer(event, source):
        if event.association is not None:
            server.seen.append(event.message.path)
            return Message(Code.CONTENT, payload=b"welcome")
        c_r, _message = coap_carriage.parse_request(event.message.payload)
        said = server.answer(event.message)
        if c_r is not None:
            side.install(Association(AssociationId("aiocoap"), server.context))
            side.locate(c_r, source)
        return said

    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as ear:
        ear.bind(("::1", 0))
        ear.settimeout(PATIENCE)
        origin = f"coap://[::1]:{ear.getsockname()[1]}"
        arguments = ["client", f"{origin}/hello", credentials(f"{origin}/*", style=style)]
        with subprocess.Popen([peer_python, SCRIPT, *arguments], stdout=subprocess.PIPE, text=True) as peer:
            while "/hello" not in server.seen:
                data, source = ear.recvfrom(2048)
                side.receive_datagram(data, source[:2], 0.0)
                while (event := side.next_event()) is not None:
                    if isinstance(event, RequestReceived):
                        side.send_response(event.exchange, answer(event, source[:2]), 0.0)
                    elif isinstance(event, SequenceNeeded):
                        side.sequence_reserved(event.association, event.upto)
                for sent, destination in side.datagrams_to_send(0.0):
                    ear.sendto(sent, destination)
            output, _ = peer.communicate(timeout=PATIENCE)
    assert bytes.fromhex(output) == b"welcome"
    assert server.seen == ["message_1", "message_3", "/hello"]


@contextmanager
def aiocoap_server(python, style, *, ours=OURS):
    """An aiocoap server; gives a way to ask it."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        probe.bind(("::1", 0))
        port = probe.getsockname()[1]
    arguments = ["server", str(port), credentials(f"coap://[::1]:{port}/*", style=style, ours=ours)]
    numbers = count(1)
    command = [python, SCRIPT, *arguments]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as mouth,
    ):
        assert peer.stdin is not None
        assert peer.stdout is not None
        assert peer.stdout.readline() == "ready\n"
        mouth.settimeout(PATIENCE)
        mouth.connect(("::1", port))

        def ask(message):
            number = next(numbers)
            mouth.send(coap.encode_as(message, MessageType.CON, number, bytes([number])))
            return coap.decode(mouth.recv(2048))

        yield ask
        peer.stdin.close()


def begun(ask, style):
    """As far as message_3, with aiocoap as Responder."""
    offer = initiator(suites=(2,), credential=OUR_CREDENTIAL, key=OUR_KEY, connection_id=b"\x37", ephemeral=generate)
    message_1, waiting_2 = offer.message_1()
    answer = ask(request(Code.POST, "/.well-known/edhoc", payload=coap_carriage.frame_message_1(message_1)))
    received = waiting_2.receive(answer.payload)
    assert received.id_cred_r.id_cred == STYLES[style]
    message_3, waiting_4 = received.authenticate(Credential(STYLES[style], THEIRS, THEIR_KEY.public)).message_3()
    return received.c_r, message_3, waiting_4


@pytest.mark.parametrize("style", STYLES)
def test_we_join_aiocoap_with_the_first_request(peer_python, style):
    with aiocoap_server(peer_python, style) as ask:
        _c_r, message_3, waiting_4 = begun(ask, style)
        client = context(waiting_4.complete_unconfirmed().oscore())
        protected, binding = protect_request(request(Code.GET, "/hello"), context=client)
        answer = unprotect_response(ask(combine(protected, message_3)), binding=binding)
        assert (answer.code, answer.payload) == (Code.CONTENT, b"hello")


@pytest.mark.parametrize("style", STYLES)
def test_we_join_aiocoap_in_turn(peer_python, style):
    with aiocoap_server(peer_python, style) as ask:
        c_r, message_3, waiting_4 = begun(ask, style)
        answer = ask(request(Code.POST, "/.well-known/edhoc", payload=coap_carriage.frame_message_3(c_r, message_3)))
        client = context(waiting_4.receive(answer.payload).oscore())
        protected, binding = protect_request(request(Code.GET, "/hello"), context=client)
        assert unprotect_response(ask(protected), binding=binding).payload == b"hello"


def test_aiocoap_refuses_a_forged_message_3_and_we_hold_no_answer_of_it(peer_python):
    with aiocoap_server(peer_python, "by-key-id") as ask:
        _c_r, message_3, waiting_4 = begun(ask, "by-key-id")
        client = context(waiting_4.complete_unconfirmed().oscore())
        protected, _binding = protect_request(request(Code.GET, "/hello"), context=client)
        forged = combine(protected, message_3[:-1] + bytes([message_3[-1] ^ 1]))
        assert ask(forged).code >= Code.BAD_REQUEST


def test_we_refuse_aiocoap_with_another_key_than_the_one_we_know(peer_python):
    with aiocoap_server(peer_python, "by-key-id") as ask:
        offer = initiator(
            suites=(2,), credential=OUR_CREDENTIAL, key=OUR_KEY, connection_id=b"\x37", ephemeral=generate
        )
        message_1, waiting_2 = offer.message_1()
        answer = ask(request(Code.POST, "/.well-known/edhoc", payload=coap_carriage.frame_message_1(message_1)))
        with pytest.raises(AuthenticationError):
            waiting_2.receive(answer.payload).authenticate(rfc.CREDENTIAL_R)
