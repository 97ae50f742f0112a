"""Two parties with the keys of RFC 9529 chapter 3, and a handshake in one call."""

from collections.abc import Callable
from typing import Any

from tests.unit.protocols.edhoc import rfc9529 as rfc
from thingstead.crypto.key import KeyType, SoftwareKey, generate
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.authentication import METHODS, Authentication, key_type
from thingstead.protocols.edhoc.credential import (
    Credential,
    CredentialReference,
    kccs_reference,
    kid_reference,
)
from thingstead.protocols.edhoc.initiator import Initiator, Message2Received, WaitingForMessage4
from thingstead.protocols.edhoc.message import DEFAULT_LIMITS, Limits
from thingstead.protocols.edhoc.responder import Message3Received, Responder, WaitingForMessage3
from thingstead.protocols.edhoc.session import Completed
from thingstead.protocols.edhoc.suite import CipherSuite

Run = tuple[Completed[Credential], Completed[Credential], list[bytes]]


def initiator(**changes: Any) -> Initiator:
    wanted: dict[str, Any] = {
        "method": 3,
        "suites": (6, 2),
        "selected": 2,
        "credential": rfc.CREDENTIAL_I,
        "key": rfc.p256(rfc.SK_I),
        "connection_id": rfc.C_I,
        "ephemeral": lambda _curve: rfc.p256(rfc.X),
    }
    return Initiator(**(wanted | changes))


def responder(**changes: Any) -> Responder:
    wanted: dict[str, Any] = {
        "methods": frozenset({3}),
        "suites": (2,),
        "ephemeral": lambda _curve: rfc.p256(rfc.Y),
    }
    return Responder(**(wanted | changes))


def claims(key: SoftwareKey, kid: bytes, subject: str = "thing") -> bytes:
    """A CWT claims set that holds the public key."""
    return ccs.encode(key.public, kid=kid, subject=subject)


def party(suite: CipherSuite, kind: Authentication, kid: bytes, *, by_value: bool = False) -> tuple[Credential, Any]:
    """A fresh key that fits, and its credential."""
    key = generate(key_type(suite, kind))
    encoded = claims(key, kid)
    return Credential(kccs_reference(encoded) if by_value else kid_reference(kid), encoded, key.public), key


def until_message_2(**changes: Any) -> tuple[bytes, Message2Received, WaitingForMessage3]:
    message_1, waiting = initiator(**changes).message_1()
    message_2, waiting_3 = responder().receive(message_1).message_2(rfc.C_R, rfc.CREDENTIAL_R, key=rfc.p256(rfc.SK_R))
    return message_2, waiting.receive(message_2), waiting_3


def until_message_3() -> tuple[bytes, WaitingForMessage4[Credential], WaitingForMessage3]:
    _message_2, received, waiting_3 = until_message_2()
    message_3, waiting_4 = received.authenticate(rfc.CREDENTIAL_R).message_3()
    return message_3, waiting_4, waiting_3


def until_authentication() -> tuple[Message3Received, WaitingForMessage4[Credential]]:
    message_3, waiting_4, waiting_3 = until_message_3()
    return waiting_3.receive(message_3), waiting_4


def run(
    suite: CipherSuite,
    method: int,
    party_i: tuple[Credential, Any],
    party_r: tuple[Credential, Any],
    *,
    find_r: Callable[[CredentialReference], Credential] | None = None,
    find_i: Callable[[CredentialReference], Credential] | None = None,
    ephemeral: Callable[[KeyType], SoftwareKey] = generate,
    limits: Limits = DEFAULT_LIMITS,
) -> Run:
    """A whole session: both ends, and what an observer saw; each side looks the other's credential up."""
    (credential_i, key_i), (credential_r, key_r) = party_i, party_r
    offer = Initiator(
        method=method,
        suites=(suite.number,),
        credential=credential_i,
        key=key_i,
        connection_id=b"\x01",
        ephemeral=ephemeral,
        limits=limits,
    )
    acceptance = Responder(methods=frozenset({method}), suites=(suite.number,), ephemeral=ephemeral, limits=limits)
    message_1, waiting_2 = offer.message_1()
    message_2, waiting_3 = acceptance.receive(message_1).message_2(b"\x02", credential_r, key=key_r)
    received_2 = waiting_2.receive(message_2)
    found_r = find_r(received_2.id_cred_r) if find_r else credential_r
    message_3, waiting_4 = received_2.authenticate(found_r).message_3()
    received_3 = waiting_3.receive(message_3)
    found_i = find_i(received_3.id_cred_i) if find_i else credential_i
    message_4, completed_r = received_3.authenticate(found_i).message_4()
    return waiting_4.receive(message_4), completed_r, [message_1, message_2, message_3, message_4]


def handshake(suite: CipherSuite, method: int, *, by_value: bool = False, limits: Limits = DEFAULT_LIMITS) -> Run:
    """A whole session with fresh keys: both ends, and what an observer saw."""
    row = METHODS[method]
    credential_i, key_i = party(suite, row.initiator, b"initiator", by_value=by_value)
    credential_r, key_r = party(suite, row.responder, b"responder", by_value=by_value)
    return run(suite, method, (credential_i, key_i), (credential_r, key_r), limits=limits)
