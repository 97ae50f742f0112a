"""SUIT envelopes, manifests and reports."""

from tests.properties.decoder import Decoder
from tests.unit.protocols.suit.releases import ANCHORS, POLICY, RELEASE
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.protocols.suit import (
    authentication,
    builder,
    command,
    encryption,
    envelope,
    manifest,
    parameter,
    report,
)
from thingstead.protocols.suit.registry import Reason
from thingstead.secret import Secret

_UNSIGNED = builder.build(RELEASE)
_ENVELOPE = envelope.encode(_UNSIGNED).hex()
_REPORT = report.encode_report(report.Report(_UNSIGNED.digest, Reason.OK, "coap://a/b", nonce=b"n")).hex()
_DEVICE, _EPHEMERAL = (private_key(KeyType.P256, Secret(bytes(31) + bytes((number,)))) for number in (7, 8))
_WRAPPING = Secret(bytes(16))
_PAYLOAD = encryption.encrypt(
    b"image",
    [encryption.Shared(b"1", _WRAPPING), encryption.Static(b"2", _DEVICE.public, _EPHEMERAL)],
    content_id=AlgorithmId.A128GCM,
    content_key=_WRAPPING,
    iv=bytes(12),
)

DECODERS = (
    Decoder("suit.envelope.decode", envelope.decode, (_ENVELOPE,), ("suit", "suit-encryption")),
    Decoder(
        "suit.manifest.decode_manifest",
        lambda data: manifest.decode_manifest(envelope.decode(data)),
        (_ENVELOPE,),
        ("suit",),
    ),
    Decoder(
        "suit.authentication.authenticate",
        lambda data: authentication.authenticate(envelope.decode(data), ANCHORS, POLICY),
        (),
        ("suit",),
    ),
    Decoder(
        "suit.command.decode_sequence",
        lambda data: command.decode_sequence(data, command.Budget(envelope.Limits())),
        ("82030f", "84030f020f"),
    ),
    Decoder(
        "suit.encryption.decrypt",
        lambda data: encryption.decrypt(data, _PAYLOAD.ciphertext, {b"1": _WRAPPING, b"2": _DEVICE}),
        (_PAYLOAD.info.hex(),),
        ("suit-encryption",),
    ),
    Decoder("suit.parameter.decode_match", parameter.decode_match, ("8202820104", "820483010221")),
    Decoder("suit.parameter.decode_wait", parameter.decode_wait, ("a20120020a", "a1048243687562818202810a")),
    Decoder("suit.report.decode_report", report.decode_report, (_REPORT,)),
)
