"""What is said of the state of things: reference values, software tags."""

from datetime import UTC, datetime

from tests.properties.decoder import Decoder
from tests.unit.protocols.corim import rims
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.protocols.cbor import codec
from thingstead.protocols.corim import comid, rim, signed
from thingstead.protocols.coswid import tag
from thingstead.secret import Secret

_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
# Ed25519 signs the same bytes the same way each time, so the seeds are the same in every run.
_KEY = private_key(KeyType.ED25519, Secret(bytes(range(32))))
_ACCEPT = frozenset({int(AlgorithmId.ED25519)})
_SIGNED = signed.sign(rims.encoded(), _KEY, signature_id=AlgorithmId.ED25519, signer="Acme")
_SWID = codec.encode({0: "id", 12: 1, 1: "OS", 2: {31: "Acme", 33: 2}, 6: {17: [{24: "a", 7: [1, bytes(32)]}]}})

DECODERS = (
    Decoder("corim.comid.decode", comid.decode, (codec.encode(rims.COMID).hex(),)),
    Decoder("corim.rim.decode", rim.decode, (rims.encoded().hex(),), ("corim-veraison",)),
    Decoder(
        "corim.signed.authenticate",
        lambda data: signed.authenticate(data, _KEY.public, accept=_ACCEPT, at=_AT),
        (_SIGNED.hex(),),
    ),
    Decoder("coswid.tag.decode", tag.decode, (_SWID.hex(),)),
)
