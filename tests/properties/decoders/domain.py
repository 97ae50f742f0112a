"""What the domain reads back from its own disk: it may have been tampered with."""

from tests.properties.decoder import Decoder
from tests.unit.domain.things import AT, a_thing
from thingstead.domain import thing
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Draft, Kind

_ENTRY = Draft(AT, Kind.TRANSITION, "operator", a_thing().id, "retired", {"from": "operational", "n": 1}).numbered(0)

DECODERS = (
    Decoder("domain.ledger.entry.decode", entry.decode, (entry.encode(_ENTRY).hex(),)),
    Decoder("domain.thing.decode", thing.decode, (thing.encode(a_thing()).hex(),)),
)
