"""What is said of the state of things: evidence, reference values, results, software tags."""

from datetime import UTC, datetime

from tests.properties.decoder import Decoder
from tests.unit.protocols.corim import rims
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.protocols.cbor import codec
from thingstead.protocols.corim import comid, rim, signed
from thingstead.protocols.coswid import tag
from thingstead.protocols.ear import result
from thingstead.protocols.ear.result import Aspect, Claim, Result, Tier
from thingstead.protocols.eat import claims, evidence, measured_component, unsigned
from thingstead.protocols.profile import attestation, reference_values
from thingstead.secret import Secret

_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
# Ed25519 signs the same bytes the same way each time, so the seeds are the same in every run.
_KEY = private_key(KeyType.ED25519, Secret(bytes(range(32))))
_ACCEPT = frozenset({int(AlgorithmId.ED25519)})
_SIGNED = signed.sign(rims.encoded(), _KEY, signature_id=AlgorithmId.ED25519, signer="Acme")
_SWID = codec.encode({0: "id", 12: 1, 1: "OS", 2: {31: "Acme", 33: 2}, 6: {17: [{24: "a", 7: [1, bytes(32)]}]}})
_NONCE = bytes(16)
_CLAIMS = {10: _NONCE, 265: "a:b", 266: {"x": {256: bytes(7)}, "y": b"t", "z": [-16, bytes(32)]}, 273: [[295, b"m"]]}
_EVIDENCE = evidence.sign(_CLAIMS, _KEY, signature_id=AlgorithmId.ED25519)
_MEASURED = codec.encode({1: ["a", ["1.0"]], 2: [1, bytes(32)]})
_RESULT = Result("thing", Tier.AFFIRMING, _AT, {Aspect.EXECUTABLES: Claim.APPROVED_BOOT})
_VALUES = reference_values.encode(
    vendor_id=bytes(16), class_id=bytes(16), version="1", sequence_number=1, image_digest=bytes(32)
)

DECODERS = (
    Decoder("corim.comid.decode", comid.decode, (codec.encode(rims.COMID).hex(),)),
    Decoder("corim.rim.decode", rim.decode, (rims.encoded().hex(),), ("corim-veraison",)),
    Decoder(
        "corim.signed.authenticate",
        lambda data: signed.authenticate(data, _KEY.public, accept=_ACCEPT, at=_AT),
        (_SIGNED.hex(),),
    ),
    Decoder("ear.result.decode", result.decode, (result.encode(_RESULT).hex(),)),
    Decoder("eat.claims.decode", claims.decode, (codec.encode(_CLAIMS).hex(),)),
    Decoder("eat.evidence.decode", evidence.decode, (_EVIDENCE.hex(),), ("corim-veraison",)),
    Decoder(
        "eat.evidence.authenticate",
        lambda data: evidence.authenticate(data, _KEY.public, accept=_ACCEPT, nonce=_NONCE, profile="a:b"),
        (_EVIDENCE.hex(),),
    ),
    Decoder("eat.measured_component.decode", measured_component.decode, (_MEASURED.hex(),)),
    Decoder("eat.unsigned.decode_bundle", unsigned.decode_bundle, (codec.encode([b"t", {"x": b"c"}]).hex(),)),
    Decoder(
        "eat.unsigned.decode_conveyed",
        lambda data: unsigned.decode_conveyed(data, peer="thing"),
        (codec.encode(codec.Tag(601, _CLAIMS)).hex(),),
    ),
    Decoder("profile.attestation.decode_request", attestation.decode_request, (codec.encode(_NONCE).hex(),)),
    Decoder("profile.reference_values.decode", reference_values.decode, (_VALUES.hex(),)),
    Decoder("coswid.tag.decode", tag.decode, (_SWID.hex(),)),
)
