"""SUIT envelopes, manifests and reports."""

from tests.properties.decoder import Decoder
from tests.unit.protocols.suit.releases import ANCHORS, POLICY, RELEASE
from thingstead.protocols.suit import authentication, builder, command, envelope, manifest, report
from thingstead.protocols.suit.registry import Reason

_UNSIGNED = builder.build(RELEASE)
_ENVELOPE = envelope.encode(_UNSIGNED).hex()
_REPORT = report.encode_report(report.Report(_UNSIGNED.digest, Reason.OK, "coap://a/b", nonce=b"n")).hex()

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
    Decoder("suit.report.decode_report", report.decode_report, (_REPORT,)),
)
