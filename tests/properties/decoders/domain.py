"""What the domain reads back from its own disk: it may have been tampered with."""

from tests.properties.decoder import Decoder
from tests.unit.domain.test_contact import CLOUD
from tests.unit.domain.test_open_service import SSH
from tests.unit.domain.things import AT, a_thing
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, private_key
from thingstead.domain import contact, open_service, release_result, thing, type_result, vouched
from thingstead.domain.check import Check, Outcome
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.release_result import Result, Verdict
from thingstead.domain.type_result import ThingType, TypeResult
from thingstead.protocols.receipts import merkle, receipt
from thingstead.protocols.receipts.receipt import InclusionProof
from thingstead.secret import Secret

_ENTRY = Draft(AT, Kind.TRANSITION, "operator", a_thing().id, "retired", {"from": "operational", "n": 1}).numbered(0)

_RESULT = release_result.encode(
    Result(
        bytes(32),
        bytes(32),
        "acme",
        "LX-1",
        "1.1.0",
        2,
        True,
        AT,
        Verdict.REFUSED,
        (Check("signatures", Outcome.PASSED), Check("image-scan", Outcome.REFUSED, ("not in time",))),
        {"image-scan rules": "aa"},
    )
)
_TYPE_RESULT = type_result.encode(
    TypeResult(ThingType("acme", "LX-1"), "1", a_thing().id, AT, (Check("replay", Outcome.FAILED, ("served",)),), {})
)
_KEY = private_key(KeyType.P256, Secret(bytes(31) + b"\x07"))


def _enclosed(document: bytes, kind: Kind) -> bytes:
    recorded = entry.encode(Draft(AT, kind, "owner", None, "image", {"result": digest(document)}).numbered(0))
    proof = InclusionProof(1, 0, ())
    issued = receipt.issue(merkle.leaf_hash(recorded), proof, _KEY, signature_id=AlgorithmId.ESP256)
    return vouched.enclose(document, recorded, issued)


_ENCLOSED = _enclosed(_RESULT, Kind.REFUSAL)
_KINDS = frozenset({Kind.REFUSAL})

DECODERS = (
    Decoder(
        "domain.open_service.decode",
        lambda data: open_service.decode(data, thing=a_thing().id),
        (open_service.encode([SSH]).hex(),),
    ),
    Decoder("domain.contact.decode", contact.decode, (contact.encode([CLOUD]).hex(),)),
    Decoder("domain.ledger.entry.decode", entry.decode, (entry.encode(_ENTRY).hex(),)),
    Decoder("domain.release_result.decode", release_result.decode, (_RESULT.hex(),)),
    Decoder(
        "domain.release_result.authenticate",
        lambda data: release_result.authenticate(data, _KEY.public),
        (_ENCLOSED.hex(),),
    ),
    Decoder("domain.type_result.decode", type_result.decode, (_TYPE_RESULT.hex(),)),
    Decoder(
        "domain.type_result.authenticate",
        lambda data: type_result.authenticate(data, _KEY.public),
        (_enclosed(_TYPE_RESULT, Kind.EXAMINATION).hex(),),
    ),
    Decoder(
        "domain.vouched.authenticate",
        lambda data: vouched.authenticate(data, _KEY.public, kinds=_KINDS),
        (_ENCLOSED.hex(),),
    ),
    Decoder("domain.thing.decode", thing.decode, (thing.encode(a_thing()).hex(),)),
)
