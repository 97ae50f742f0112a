"""Bytes of the messages of a thing's life, with frames and airtime on four links.

Each is the CoAP datagram, built by the protocols with credentials as the product issues them. Headers of IP and UDP
are not in it; on small links they are compressed to a few bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bench.figure import Figure
from bench.link import LINKS
from thingstead.controller.resource import content
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PrivateKey, PublicKey, generate
from thingstead.identifier import thing_id_from_random
from thingstead.protocols.ace import aif
from thingstead.protocols.ace import token as access
from thingstead.protocols.ace.groupcomm import GroupKeys, Peer, security_context
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.coap import message
from thingstead.protocols.coap.block import Block
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.cwt import ccs, credential
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.credential import Credential, kccs_reference
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.responder import Responder
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.group_oscore.protection import (
    protect_group_request,
    protect_group_response,
    unprotect_group_request,
)
from thingstead.protocols.lake_authz import voucher
from thingstead.protocols.lake_authz.message import VoucherInfo
from thingstead.protocols.lake_authz.voucher import Binding
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.protection import protect_request, protect_response, unprotect_request
from thingstead.protocols.profile import custody, join, path
from thingstead.protocols.profile.custody import Owner
from thingstead.protocols.profile.grant import Grant, encode_grant
from thingstead.protocols.profile.release import FIRMWARE
from thingstead.protocols.senml.pack import render_cbor
from thingstead.protocols.senml.record import Record
from thingstead.protocols.suit import builder, envelope
from thingstead.protocols.suit.authentication import Signer
from thingstead.protocols.suit.builder import Release
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.suit.registry import Reason
from thingstead.protocols.suit.report import Report, encode_report
from thingstead.secret import Secret

__all__ = ["figures"]

_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
_LATER = _AT + timedelta(days=90)
_ID = AlgorithmId.ESP256


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

    def token(holder: PublicKey, subject: str, audience: str, scope: aif.Scope) -> bytes:
        return access.issue(
            holder,
            domain,
            issuer="home.example",
            subject=subject,
            audience=audience,
            scope=scope,
            at=_AT,
            expires=_LATER,
            cti=bytes(8),
            signature_id=_ID,
        )

    grant = Grant(
        token(thing.public, name, "home.example", _AT_DOMAIN),
        token(controller.public, "home.example", name, _AT_THING),
        own,
        ccs.encode(domain.public, subject="access"),
    )
    credential_i = join.identity_credential(identity, thing.public)
    encoded = ccs.encode(controller.public, subject="home.example")
    credential_r = Credential(kccs_reference(encoded), encoded, controller.public)
    first = _Handshake(credential_i, thing, credential_r, controller)
    yield "join: message_1", _edhoc_request(coap_carriage.frame_message_1(first.message_1))
    yield "join: message_2, domain's credential", _edhoc_response(first.message_2)
    items = join.identity_item(identity)
    yield "join: message_3, maker identity", first.message_3(items)
    yield "join: message_4, two tokens, two credentials", first.message_4(grant)
    asks = _Handshake(
        join.identity_credential(identity, thing.public, name_size=join.LONG_NAME), thing, credential_r, controller
    )
    server = generate(KeyType.P256)
    ek_ct, key = voucher.begin(cipher_suite(join.SUITES[0]), server.public, generate)
    yield (
        "join: message_3, asking the maker's server",
        asks.message_3((*items, VoucherInfo("coap://masa.lamps.example", ek_ct).item())),
    )
    to = Owner("home.example", controller.public)
    link = custody.extend(bytes(32), serial=serial, owner=Owner("lamps", server.public), to=to, at=_AT, key=server)
    sealed = voucher.issue(key, Binding(bytes(32), credential_i.id_cred, encoded), opaque=link)
    yield "join: message_4, with the voucher", asks.message_4(replace(grant, voucher=sealed))


class _Handshake:
    """Both sides of one."""

    def __init__(
        self, credential_i: Credential, thing: PrivateKey, credential_r: Credential, controller: PrivateKey
    ) -> None:
        initiator = Initiator(
            method=join.METHOD,
            suites=join.SUITES,
            credential=credential_i,
            key=thing,
            connection_id=b"\x05",
            ephemeral=generate,
            ead_labels=join.EAD_LABELS,
        )
        responder = Responder(
            methods=frozenset({join.METHOD}), suites=join.SUITES, ephemeral=generate, ead_labels=join.EAD_LABELS
        )
        self._credentials = credential_i, credential_r
        self.message_1, self._thing = initiator.message_1()
        self.message_2, self._domain = responder.receive(self.message_1).message_2(_C_R, credential_r, key=controller)

    def message_3(self, items: Sequence[EadItem]) -> bytes:
        authenticated = self._thing.receive(self.message_2).authenticate(self._credentials[1])
        self._sent, self._last = authenticated.message_3(items)
        return _edhoc_request(coap_carriage.frame_message_3(_C_R, self._sent))

    def message_4(self, grant: Grant) -> bytes:
        authenticated = self._domain.receive(self._sent).authenticate(self._credentials[0])
        message_4, _completed = authenticated.message_4(encode_grant(grant))
        self._last.receive(message_4)
        return _edhoc_response(message_4)


_C_R = b"\x06\x07\x08"


def _edhoc_request(payload: bytes) -> bytes:
    return _datagram(
        message.request(Code.POST, path.EDHOC, payload=payload, content_format=ContentFormat.CID_EDHOC_CBOR_SEQ)
    )


def _edhoc_response(payload: bytes) -> bytes:
    return _datagram(content(payload, ContentFormat.EDHOC_CBOR_SEQ, Code.CHANGED))


_AT_DOMAIN = aif.Scope(
    {path.TELEMETRY: 2, path.CREDENTIAL_STATUS: 16, path.UPDATE: 1, path.UPDATE_IMAGE: 1, path.UPDATE_REPORT: 2}
)
_AT_THING = aif.Scope({path.LIGHT: 5, path.GROUP_KEYS: 4, path.STANDING: 16, path.WIPE: 2})
"""Rights as the demo's policy gives them."""


def _telemetry() -> Iterator[tuple[str, bytes]]:
    secret = Secret(bytes(range(16)))
    thing = SecurityContext.derive(secret, sender_id=b"\x06", recipient_id=b"\x05")
    controller = SecurityContext.derive(secret, sender_id=b"\x05", recipient_id=b"\x06")
    records = [Record(name, 1_795_435_200.0, value, unit) for name, value, unit in _READINGS]
    request, _binding = protect_request(
        message.request(Code.POST, path.TELEMETRY, payload=render_cbor(records)), context=thing
    )
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
        FIRMWARE, vendor, class_identifier(vendor, "lamp-1"), 7, "1.1.0", digest_of(image), len(image), "/fw/7"
    )
    classic = (Signer(b"release-2026", _ID), generate(KeyType.P256))
    quantum = (Signer(b"release-pq", AlgorithmId.ML_DSA_44), generate(KeyType.ML_DSA_44))
    secret = Secret(bytes(range(16)))
    thing = SecurityContext.derive(secret, sender_id=b"\x06\x07\x08", recipient_id=b"\x05")
    controller = SecurityContext.derive(secret, sender_id=b"\x05", recipient_id=b"\x06\x07\x08")

    def exchange(request: Message, response: Message) -> tuple[bytes, bytes]:
        protected, _binding = protect_request(request, context=thing)
        _inner, binding = unprotect_request(protected, context=controller)
        return _datagram(protected), _datagram(protect_response(response, binding=binding))

    tag = (int(OptionNumber.ETAG), bytes(8))
    poll = message.request(Code.GET, path.UPDATE).with_options(tag)
    asked, nothing_new = exchange(poll, Message(Code.VALID, options=[tag]))
    yield "update: poll", asked
    yield "update: nothing new", nothing_new
    signed = envelope.encode(builder.sign(builder.build(release), (classic,)))
    yield "update: envelope, ESP256", exchange(poll, content(signed, ContentFormat.OCTET_STREAM).with_options(tag))[1]
    block = [tag, (int(OptionNumber.BLOCK2), Block(1, True, _SZX_64).encode())]
    more = message.request(Code.GET, path.UPDATE_IMAGE).with_options(
        (int(OptionNumber.BLOCK2), Block(1, False, _SZX_64).encode())
    )
    asked, piece = exchange(more, content(image[:64], ContentFormat.OCTET_STREAM).with_options(*block))
    yield "update: asking for a block", asked
    yield "update: a block of 64 bytes", piece
    both = envelope.encode(builder.sign(builder.build(release), (classic, quantum)))
    yield "update: envelope, ESP256 and ML-DSA-44 (whole)", both
    report = encode_report(Report(digest_of(both), Reason.OK, images={FIRMWARE: digest_of(image)}))
    told = message.request(Code.POST, path.UPDATE_REPORT, payload=report, content_format=ContentFormat.CBOR)
    yield "update: report", exchange(told, Message(Code.CHANGED))[0]


_SZX_64 = 2
