"""What a maker says goes with a release."""

import json

from tests.properties.decoder import Decoder
from thingstead.analysis import consequence, osv, sbom
from thingstead.crypto.key import KeyType, private_key
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile import release_statement
from thingstead.protocols.profile.release_statement import Statement, member, sign_statement
from thingstead.protocols.suit import authentication
from thingstead.secret import Secret

_KEY = private_key(KeyType.P256, Secret(bytes(31) + b"\x07"))
_SIGNER = profile.signer(_KEY.public)
_KEYS, _POLICY = profile.authentication([_KEY.public])
_MADE = make_release(b"image", vendor_id=bytes(16), class_id=bytes(16), sequence_number=1, version="1")
_ENVELOPE = authentication.authenticate(sign_release(_MADE, [_KEY]), _KEYS, _POLICY)
_STATEMENT = Statement(_ENVELOPE.envelope.digest, {"mud.json": member("mud.json", b"{}")})
_SIGNED = sign_statement(_STATEMENT, [(_SIGNER, _KEY)])

_PACKAGE = {"name": "libcoap", "ecosystem": "OSS-Fuzz", "purl": "pkg:generic/libcoap"}
_RANGE = {"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.3.1"}]}
_RECORD = {"id": "OSV-2022-133", "affected": [{"package": _PACKAGE, "ranges": [_RANGE], "versions": ["v4.3.0"]}]}
_PART = {"type": "library", "name": "libcoap", "version": "4.3.0", "purl": "pkg:generic/libcoap@4.3.0"}
_SBOM = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [_PART]}

DECODERS = (
    Decoder("analysis.consequence.parse_words", consequence.parse_words, (b'{"en": "Mends a leak."}'.hex(),)),
    Decoder("analysis.osv.parse_record", osv.parse_record, (json.dumps(_RECORD).encode().hex(),)),
    Decoder("analysis.sbom.parse_sbom", sbom.parse_sbom, (json.dumps(_SBOM).encode().hex(),)),
    Decoder("profile.release_statement.decode", release_statement.decode, (_SIGNED.hex(),)),
    Decoder(
        "profile.release_statement.open_statement",
        lambda data: release_statement.open_statement(data, _ENVELOPE, _KEYS),
        (_SIGNED.hex(),),
    ),
)
