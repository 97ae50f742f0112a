"""Bytes of the messages of a thing's life, with frames and airtime on four links.

Each is the CoAP datagram, built by the protocols with credentials as the product issues them. Headers of IP and UDP
are not in it; on small links they are compressed to a few bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from bench.figure import Figure
from bench.link import LINKS
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.identifier import thing_id_from_random
from thingstead.protocols.ace import aif
from thingstead.protocols.ace import token as access
from thingstead.protocols.ace.groupcomm import GroupKeys, Peer, security_context
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.coap import message
from thingstead.protocols.coap.code import Code
from thingstead.protocols.coap.content_format import ContentFormat
from thingstead.protocols.coap.message import Message
from thingstead.protocols.cwt import ccs, credential
from thingstead.protocols.edhoc.credential import kid_reference, read_credential
from thingstead.protocols.edhoc.ead import EadItem, EadLabel
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.responder import Responder
from thingstead.protocols.group_oscore.protection import (
    protect_group_request,
    protect_group_response,
    unprotect_group_request,
)
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.protection import protect_request, protect_response, unprotect_request
from thingstead.protocols.profile import path
from thingstead.protocols.senml.pack import render_cbor
from thingstead.protocols.senml.record import Record
from thingstead.protocols.suit import builder, envelope
from thingstead.protocols.suit.authentication import Signer
from thingstead.protocols.suit.builder import Release
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.voucher import voucher
from thingstead.secret import Secret

__all__ = ["figures"]

_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
_LATER = _AT + timedelta(days=90)
_ID = AlgorithmId.ESP256
_VOUCHER_LABEL, _TOKEN_LABEL = 16, 17  # of one byte, like every label that a profile would take


def figures() -> Iterator[Figure]:
    """Bytes of each message, then frames and milliseconds on each link."""
    for name, data in [*_join(), *_telemetry(), *_group(), *_update()]:
        yield Figure(name, "bytes", len(data))
        for link in LINKS:
            yield Figure(f"{name}, {link.name}", "frames", link.frames(len(data)))
            yield Figure(f"{name}, {link.name}", "ms on the air", link.milliseconds(len(data)))


def _datagram(inner: Message) -> bytes:
    inner.token, inner.mid = b"\x01\x02", 1
    return message.encode(inner)


def _join() -> Iterator[tuple[str, bytes]]:
    maker, domain, thing, controller = (generate(KeyType.P256) for _ in range(4))
    serial, name = "L-000417", thing_id_from_random(bytes(range(10)))
    identity = credential.issue_maker_identity(
        thing.public,
        maker,
        maker="lamps.example",
        serial=serial,
        model="lamp-1",
        constrained_class=1,
        mud_url="https://lamps.example/lamp-1.json",
        support_end=date(2031, 1, 1),
        at=_AT,
        signature_id=_ID,
        kid=b"\x2b",
    )
    own = credential.issue_domain_credential(
        controller.public,
        domain,
        domain="home.example",
        thing=name,
        at=_AT,
        expires=_LATER,
        cti=b"\x01",
        signature_id=_ID,
        kid=b"\x32",
    )
    proof = voucher.issue(controller.public, maker, serial=serial, at=_AT, expires=_LATER, signature_id=_ID)
    token = access.issue(
        thing.public,
        domain,
        issuer="home.example",
        subject=name,
        audience="controller",
        scope=aif.Scope({"/t": 2, "/fw": 1, "/report": 2}),
        at=_AT,
        expires=_LATER,
        cti=b"\x02",
        signature_id=_ID,
    )
    credential_i = read_credential(identity, kid_reference(b"\x2b"))
    credential_r = read_credential(own, kid_reference(b"\x32"))
    initiator = Initiator(
        method=3,
        suites=(2,),
        credential=credential_i,
        key=thing,
        connection_id=b"\x05",
        ephemeral=generate,
        ead_labels=frozenset({_VOUCHER_LABEL, _TOKEN_LABEL}),
    )
    responder = Responder(methods=frozenset({3}), suites=(2,), ephemeral=generate, ead_labels=frozenset({15}))
    message_1, waiting_2 = initiator.message_1()
    yield "join: message_1", _datagram(message.request(Code.POST, "/.well-known/edhoc", payload=b"\xf5" + message_1))
    message_2, waiting_3 = responder.receive(message_1).message_2(
        b"\x06", credential_r, key=controller, ead_2=[EadItem(_VOUCHER_LABEL, proof)]
    )
    yield "join: message_2, voucher", _datagram(Message(Code.CHANGED, payload=message_2))
    message_3, waiting_4 = (
        waiting_2.receive(message_2)
        .authenticate(credential_r)
        .message_3([EadItem(EadLabel.CREDENTIAL_BY_VALUE, identity)])
    )
    yield (
        "join: message_3, maker identity",
        _datagram(message.request(Code.POST, "/.well-known/edhoc", payload=b"\x06" + message_3)),
    )
    message_4, _completed = (
        waiting_3.receive(message_3).authenticate(credential_i).message_4([EadItem(_TOKEN_LABEL, token)])
    )
    waiting_4.receive(message_4)
    yield "join: message_4, token", _datagram(Message(Code.CHANGED, payload=message_4))


def _telemetry() -> Iterator[tuple[str, bytes]]:
    secret = Secret(bytes(range(16)))
    thing = SecurityContext.derive(secret, sender_id=b"\x06", recipient_id=b"\x05")
    controller = SecurityContext.derive(secret, sender_id=b"\x05", recipient_id=b"\x06")
    records = [Record(name, 1_795_435_200.0, value, unit) for name, value, unit in _READINGS]
    request, _binding = protect_request(message.request(Code.POST, "/t", payload=render_cbor(records)), context=thing)
    _inner, binding = unprotect_request(request, context=controller)
    yield "telemetry: four readings", _datagram(request)
    yield "telemetry: response", _datagram(protect_response(Message(Code.CHANGED), binding=binding))


_READINGS = (("temp", 23.5, "Cel"), ("hum", 41.0, "%RH"), ("volt", 3.31, "V"), ("load", 0.25, "/"))


def _group() -> Iterator[tuple[str, bytes]]:
    """Three lamps and the domain that commands them: the command, a lamp's answer, and a lamp's keys after a rekey."""
    own = [generate(KeyType.P256) for _ in range(4)]
    members = tuple(
        Peer(bytes((number,)), ccs.encode(key.public, subject=f"member {number}"), role, scope)
        for number, (key, role, scope) in enumerate(zip(own, _ROLES, _SCOPES, strict=True))
    )

    def keys(number: int) -> GroupKeys:
        secret, salt = Secret(bytes(16)), bytes(8)
        return GroupKeys("lamps", 1, b"\1\2\3", secret, salt, bytes((number,)), members[0].credential, 86_400, members)

    domain, lamp = (
        security_context(keys(number), own[number], sequence=SequenceNumbers(), fresh=True) for number in (0, 1)
    )
    command, _ = protect_group_request(message.request(Code.PUT, path.LIGHT, payload=b"\xf5"), context=domain)
    yield "group: command to all lamps", _datagram(command)
    _inner, binding = unprotect_group_request(command, context=lamp)
    yield "group: a lamp's answer", _datagram(protect_group_response(Message(Code.CHANGED), binding=binding))
    rekey = message.request(
        Code.PUT, path.GROUP_KEYS, payload=keys(1).encode(), content_format=ContentFormat.ACE_GROUPCOMM_CBOR
    )
    pairwise = SecurityContext.derive(Secret(bytes(range(16))), sender_id=b"\x05", recipient_id=b"\x06")
    yield "rekey: keys of a group of four, for one", _datagram(protect_request(rekey, context=pairwise)[0])


_ROLES = (Role.REQUESTER, *[Role.RESPONDER] * 3)
_SCOPES = (aif.Scope({path.LIGHT: 4}), *[aif.Scope({})] * 3)


def _update() -> Iterator[tuple[str, bytes]]:
    vendor = vendor_identifier("lamps.example")
    image = bytes(1000)
    release = Release(
        (b"firmware",), vendor, class_identifier(vendor, "lamp-1"), 7, "1.1.0", digest_of(image), len(image), "/fw/7"
    )
    classic = (Signer(b"release-2026", _ID), generate(KeyType.P256))
    quantum = (Signer(b"release-pq", AlgorithmId.ML_DSA_44), generate(KeyType.ML_DSA_44))
    yield "update: envelope, ESP256", envelope.encode(builder.sign(builder.build(release), (classic,)))
    yield (
        "update: envelope, ESP256 and ML-DSA-44",
        envelope.encode(builder.sign(builder.build(release), (classic, quantum))),
    )
