"""A MAC over one payload: COSE_Mac0, and COSE_Mac with recipients (RFC 9052 §6)."""

from __future__ import annotations

from dataclasses import InitVar, dataclass

from thingstead.crypto.algorithm import Kind, algorithm, fitting
from thingstead.crypto.mac import mac_tag, verify_mac
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import header, recipient
from thingstead.protocols.cose.header import Headers, Label
from thingstead.protocols.cose.recipient import Receiver, Recipient
from thingstead.protocols.cose.sign1 import choose_payload
from thingstead.protocols.cose.structure import CoseTag, mac_structure, open_array, wrap_array
from thingstead.secret import Secret

__all__ = ["AuthenticatedMac", "Mac", "authenticate", "decode", "decode_mac", "protect"]

_SEAL = object()


@dataclass(frozen=True, slots=True)
class Mac:
    """A COSE_Mac0 or COSE_Mac as it came: nothing in it is proved.

    Attributes:
        headers: both buckets.
        payload: None when it travels detached.
        tag: the MAC.
        recipients: none for COSE_Mac0, at least one for COSE_Mac; which of the two it is, is covered.
        encoded: the whole message as received.
    """

    headers: Headers
    payload: bytes | None
    tag: bytes
    recipients: tuple[Recipient, ...]
    encoded: bytes


@dataclass(frozen=True, slots=True)
class AuthenticatedMac:
    """A message whose MAC verified; made by `authenticate` and by nothing else.

    Attributes:
        headers: the protected bucket is proved, the unprotected one is not.
        payload: attached or detached.
        mac_id: algorithm that verified, one of those accepted.
        encoded: the whole message as received.
    """

    headers: Headers
    payload: bytes
    mac_id: int
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an AuthenticatedMac is made by mac0.authenticate")


def protect(
    payload: bytes, key: Secret, *, mac_id: int, kid: bytes = b"", external_aad: bytes = b"", detached: bool = False
) -> bytes:
    """Make a tagged COSE_Mac0 (RFC 9052 §6.3); `detached` leaves the payload to travel by itself.

    Raises:
        UnsupportedError: not a MAC that we have, or not one of this key's length.
    """
    fitting(mac_id, Kind.MAC, key)
    headers = header.build({Label.ALG: mac_id}, {Label.KID: kid} if kid else {})
    covered = mac_structure("MAC0", protected=headers.encoded, external_aad=external_aad, payload=payload)
    carried = None if detached else payload
    return wrap_array([*header.encode(headers), carried, mac_tag(key, covered, mac_id)], CoseTag.MAC0, tagged=True)


def decode(data: bytes, *, limits: codec.Limits = codec.DEFAULT_LIMITS) -> Mac:
    """Parse a COSE_Mac0 and prove nothing.

    Raises:
        DecodeError: outside the grammar of RFC 9052 §6.2.
        UnsupportedError: a critical header parameter.
    """
    encoded, unprotected, payload, tag = open_array(data, CoseTag.MAC0, limits=limits)
    return Mac(header.decode(encoded, unprotected, limits=limits), *_contents(payload, tag), (), data)


def decode_mac(data: bytes, *, limits: codec.Limits = codec.DEFAULT_LIMITS) -> Mac:
    """Parse a COSE_Mac and prove nothing.

    Raises:
        DecodeError: outside the grammar of RFC 9052 §6.1.
        UnsupportedError: a critical header parameter, or recipients of recipients.
    """
    encoded, unprotected, payload, tag, entries = open_array(data, CoseTag.MAC, limits=limits)
    headers = header.decode(encoded, unprotected, limits=limits)
    return Mac(headers, *_contents(payload, tag), recipient.decode(entries, limits=limits), data)


def authenticate(
    message: Mac | bytes,
    key: Secret | Receiver,
    *,
    accept: frozenset[int],
    external_aad: bytes = b"",
    payload: bytes | None = None,
) -> AuthenticatedMac:
    """Verify a MAC under a key that the caller chose (RFC 9052 §6.3).

    What verifies was made by somebody who had the key: under ECDH-ES that is anybody, and under a wrapped
    key every other recipient as well.

    Args:
        message: parsed, or a COSE_Mac0 as received.
        key: the shared key, or what one recipient of a COSE_Mac holds to come to it.
        accept: algorithms that the caller's policy accepts.
        external_aad: covered and not carried.
        payload: the detached payload; None when the message must carry its own.

    Raises:
        DecodeError: outside the grammar, or the payload in the wrong place.
        UnsupportedError: an algorithm outside `accept` or not one of this key's length, or a recipient
            by another way to the key than the caller's.
        UntrustedError: a static key of the sender that is not the one expected.
        AuthenticationError: the MAC does not verify, or the key does not unwrap.
    """
    if not isinstance(message, Mac):
        message = decode(message)
    mac_id = message.headers.algorithm(accept)
    secret = recipient.content_key(message.recipients, key, content=algorithm(mac_id, Kind.MAC))
    fitting(mac_id, Kind.MAC, secret)
    content = choose_payload(message.payload, payload)
    context = "MAC" if message.recipients else "MAC0"
    covered = mac_structure(context, protected=message.headers.encoded, external_aad=external_aad, payload=content)
    verify_mac(secret, covered, message.tag, mac_id)
    return AuthenticatedMac(message.headers, content, mac_id, message.encoded, _SEAL)


def _contents(payload: object, tag: object) -> tuple[bytes | None, bytes]:
    if not isinstance(payload, bytes | None) or not isinstance(tag, bytes):
        raise DecodeError("expected a payload of bstr or nil and a tag of bstr", spec="RFC 9052 §6")
    return payload, tag
