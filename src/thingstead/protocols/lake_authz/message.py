"""What thing (U), domain (V) and maker's server (W) say to each other (draft-ietf-lake-authz-07 §4.3 to §4.6).

::

    U                          V                              W
      | EAD_3: Voucher_Info ---> |                              |
      |                          | Voucher_Request -----------> |  over a channel in which V proves CRED_V
      |                          | <---------- Voucher_Response |
      | <------- EAD_4: Voucher  |                              |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.suite import CipherSuite, cipher_suite

__all__ = [
    "DRAFT",
    "LIMITS",
    "VOUCHER",
    "VOUCHER_INFO",
    "VOUCHER_REQUEST_PATH",
    "VoucherInfo",
    "VoucherRequest",
    "decode_refusal",
    "decode_request",
    "decode_response",
    "decode_voucher_info",
    "encode_refusal",
]

DRAFT = "draft-ietf-lake-authz-07"
"""The draft that these bytes follow. Its working copy of March 2026 hashes in another order (H_12)."""

VOUCHER_REQUEST_PATH = "/.well-known/lake-authz/voucherrequest"

VOUCHER_INFO = 65_541
"""TBD1 of the draft, under a number of ours until IANA gives one; critical on the wire."""
VOUCHER = 65_542
"""TBD2, likewise."""

LIMITS = codec.Limits(max_bytes=1 << 11, max_depth=4, max_items=4)

_MAX_LOCATION = 255
_MAX_ID_CRED = 64
_MAX_VOUCHER = 640
_NO_INFORMATION, _INFORMATION = 0, 1


@dataclass(frozen=True, slots=True)
class VoucherInfo:
    """Voucher_Info: what a thing tells a domain that it does not trust yet (§4.3.1).

    Attributes:
        location: LOC_W, where the thing says that its maker's server is: a stranger's word, which could send us
            anywhere. A domain compares it with what its owner has said, and goes to that.
        ek_ct: the thing's ephemeral key for the server, as long as G_X of the suite.
    """

    location: str
    ek_ct: bytes

    def item(self) -> EadItem:
        """The critical item of EAD_3."""
        return EadItem(-VOUCHER_INFO, codec.encode_sequence(self.location, self.ek_ct))


@dataclass(frozen=True, slots=True)
class VoucherRequest:
    """Voucher_Request (§4.5.1).

    Attributes:
        suite: SS, selected in the session of thing and domain.
        ek_ct: of Voucher_Info.
        h_21: the hash of message_2 and message_1.
        id_cred_i: ID_CRED_I of that session, the whole header map.
        fetch: whether CRED_U is asked for as well.
    """

    suite: CipherSuite
    ek_ct: bytes
    h_21: bytes
    id_cred_i: bytes
    fetch: bool = False

    def encode(self) -> bytes:
        """The payload of the request."""
        return codec.encode([self.suite.number, self.ek_ct, self.h_21, self.id_cred_i, self.fetch])


def decode_voucher_info(data: bytes) -> VoucherInfo:
    """Read the value of the item in EAD_3; whose it is depends on who authenticates in message_3.

    Raises:
        DecodeError: not a location of 1 to 255 printable characters and a byte string.
    """
    match codec.decode_sequence(data, limits=LIMITS):
        case [str(location), bytes(ek_ct)] if 0 < len(location) <= _MAX_LOCATION and location.isprintable():
            return VoucherInfo(location, ek_ct)
    raise DecodeError("expected LOC_W and EK_CT in Voucher_Info", spec=f"{DRAFT} §4.3.1")


def decode_request(data: bytes) -> VoucherRequest:
    """Read a Voucher_Request.

    Raises:
        DecodeError: outside the grammar, or lengths that are not those of its suite.
        UnsupportedError: a suite that we do not have, or one without Diffie-Hellman.
    """
    match codec.decode(data, limits=LIMITS):
        case [int(number), bytes(ek_ct), bytes(h_21), bytes(id_cred_i), bool(fetch)] if type(number) is int:
            suite = cipher_suite(number)
        case _:
            raise DecodeError("expected SS, EK_CT, H_21, ID_CRED_I and Fetch_CRED_U", spec=f"{DRAFT} §4.5.1")
    if not suite.agrees:
        raise UnsupportedError("expected a suite of a Diffie-Hellman key exchange", spec=f"{DRAFT} §4.2")
    if len(ek_ct) != suite.coordinate_size or len(h_21) != suite.hash_size or not 0 < len(id_cred_i) <= _MAX_ID_CRED:
        raise DecodeError(f"expected EK_CT and H_21 as long as suite {number} has them", spec=f"{DRAFT} §4.5.1")
    return VoucherRequest(suite, ek_ct, h_21, id_cred_i, fetch)


def decode_response(data: bytes) -> bytes:
    """Read the Voucher out of a Voucher_Response to a request that asked for no CRED_U.

    An array of one byte string is a voucher or a credential, and nothing in it tells which (§4.5.2); who asks for no
    credential gets none.

    Raises:
        DecodeError: not an array of one voucher.
    """
    match codec.decode(data, limits=LIMITS):
        case [bytes(voucher)] if 0 < len(voucher) <= _MAX_VOUCHER:
            return voucher
    raise DecodeError("expected an array of one voucher", spec=f"{DRAFT} §4.5.2")


def encode_refusal(information: bytes | None = None) -> bytes:
    """error_content of "Access denied": no REJECT_INFO, or what the server has encrypted for the thing (§4.6.1)."""
    if information is None:
        return codec.encode(_NO_INFORMATION)
    return codec.encode_sequence(_INFORMATION, information)


def decode_refusal(data: bytes) -> bytes | None:
    """Read error_content; returns REJECT_INFO, which the thing alone can read.

    Raises:
        DecodeError: a REJECT_TYPE that does not fit what follows.
        UnsupportedError: a REJECT_TYPE that is not in the draft.
    """
    content: Sequence[object] = codec.decode_sequence(data, limits=LIMITS)
    match content:
        case [int(kind)] if type(kind) is int and kind == _NO_INFORMATION:
            return None
        case [int(kind), bytes(information)] if type(kind) is int and kind == _INFORMATION:
            return information
        case [int(kind), *_] if type(kind) is int and kind not in {_NO_INFORMATION, _INFORMATION}:
            raise UnsupportedError(f"expected REJECT_TYPE 0 or 1, got {kind}", spec=f"{DRAFT} §4.6.1")
    raise DecodeError("expected REJECT_TYPE, and REJECT_INFO with type 1 alone", spec=f"{DRAFT} §4.6.1")
