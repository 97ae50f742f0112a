"""Lightweight authorization: what a thing, a domain and a maker's server take from each other."""

from tests.properties.decoder import Decoder
from thingstead.crypto.key import KeyType, private_key
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.lake_authz import message, voucher
from thingstead.protocols.lake_authz.message import VoucherInfo, VoucherRequest
from thingstead.secret import Secret

_M = "lake_authz.message."
_SUITE = cipher_suite(2)
_SERVER = private_key(KeyType.P256, Secret(bytes(31) + b"\x01"))
_THING = private_key(KeyType.P256, Secret(bytes(31) + b"\x02"))
_EK_CT, _KEY = voucher.begin(_SUITE, _SERVER.public, lambda _curve: _THING)
_ABOUT = voucher.Binding(bytes(32), b"\xa1\x04\x41\x01", b"\xa0")
_VOUCHER = voucher.issue(_KEY, _ABOUT, opaque=b"floor 3")

DECODERS = (
    Decoder(
        _M + "decode_voucher_info",
        message.decode_voucher_info,
        ((VoucherInfo("coap://w.example", _EK_CT).item().value or b"").hex(),),
    ),
    Decoder(
        _M + "decode_request",
        message.decode_request,
        (VoucherRequest(_SUITE, _EK_CT, bytes(32), b"\xa1\x04\x41\x01", True).encode().hex(),),
    ),
    Decoder(_M + "decode_response", message.decode_response, (codec.encode([_VOUCHER]).hex(),)),
    Decoder(_M + "decode_refusal", message.decode_refusal, ("00", "01412a")),
    Decoder(
        "lake_authz.voucher.authenticate",
        lambda data: voucher.authenticate(data, _KEY, _ABOUT),
        (_VOUCHER.hex(),),
    ),
)
