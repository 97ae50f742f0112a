"""Files that come by hand: a maker's trust anchor, a thing's birth record."""

from tests.properties.decoder import Decoder
from thingstead.crypto.key import KeyType, private_key
from thingstead.domain import anchor
from thingstead.domain.anchor import TrustAnchor
from thingstead.protocols.profile import birth, firmware
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.firmware import Firmware
from thingstead.secret import Secret

_KEY = private_key(KeyType.P256, Secret(bytes(31) + b"\x07")).public
_BIRTH = Birth("AL-1", b"identity", b"voucher", _KEY, (_KEY,), bytes(16), bytes(16))
_ANCHOR = TrustAnchor("aurora", _KEY, (_KEY,), bytes(16), (b"certificate",))

DECODERS = (
    Decoder("domain.anchor.decode", anchor.decode, (anchor.encode(_ANCHOR).hex(),)),
    Decoder("profile.birth.decode", birth.decode, (birth.encode(_BIRTH).hex(),)),
    Decoder("profile.firmware.decode", firmware.decode, (firmware.encode(Firmware("1.1.0", 0.5), b"body").hex(),)),
)
