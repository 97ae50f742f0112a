"""A maker's desk and the status tracker that it publishes to, without a world around them."""

import asyncio

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.protocols.suit.releases import CLASSIC, QUANTUM
from thingstead.analysis.image_scan import Finding
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.ledger import entry
from thingstead.domain.plane import PlaneName
from thingstead.domain.release_policy import Concern, ReleasePolicy, Stance
from thingstead.phases.maintain import make_release, sign_release
from thingstead.planes.software.campaigns import DOCUMENTS, Campaigns
from thingstead.planes.software.carried import Terms
from thingstead.planes.software.shelf import Shelf
from thingstead.planes.software.source import sort_of
from thingstead.planes.software.status_tracker import StatusTracker
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.suit.registry import Reason
from thingstead.protocols.suit.report import Report, encode_report
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

ACME = vendor_identifier("acme.example")
BROOK = vendor_identifier("brook.example")
ANCHORS = (
    TrustAnchor("acme", CLASSIC.public, (CLASSIC.public, QUANTUM.public), ACME),
    TrustAnchor("brook", CLASSIC.public, (CLASSIC.public, QUANTUM.public), BROOK),
)
LAMP, OTHER_LAMP = a_thing(0), a_thing(1)
SENSOR = a_thing(2, maker="brook", model="TH-2")
IMAGE = b"image 1.1.0 " * 100
OPEN = Terms("owner", ReleasePolicy({Concern.SBOM_MISSING: Stance.ALLOW}))


def made(
    version="1.1.0",
    sequence_number=2,
    *,
    image=IMAGE,
    vendor_id=ACME,
    model="LX-1",
    keys=(CLASSIC, QUANTUM),
    use_before=None,
):
    unsigned = make_release(
        image,
        vendor_id=vendor_id,
        class_id=class_identifier(vendor_id, model),
        sequence_number=sequence_number,
        version=version,
        use_before=use_before,
    )
    return envelope.encode(sign_release(unsigned, keys))


def told(encoded, reason=Reason.OK, *, image=IMAGE, code=0):
    """A thing's report about an envelope."""
    images = {profile.FIRMWARE: digest_of(image)}
    return encode_report(Report(envelope.decode(encoded).digest, reason, code=code, images=images))


class CountingRecords(PlaneRecords):
    """Counts writes, and can be told to fail."""

    writes = 0
    error: Exception | None = None

    async def write(self, changes, *, entries=()):
        if self.error is not None:
            raise self.error
        self.writes += 1
        await super().write(changes, entries=entries)


class Desk:
    """A tracker over a store that outlives it; `restart` makes the next one."""

    def __init__(self, *, anchors=ANCHORS, things=(LAMP, OTHER_LAMP, SENSOR)):
        self.store = MemoryStore()
        self.clock = JumpingClock()
        self.anchors = anchors
        self.things = things
        self.findings: list[Finding] = []
        self.planned = None
        self.restart()

    def restart(self, *, anchors=None):
        self.records = CountingRecords(PlaneName.SOFTWARE, self.store)
        self.kept = CountingRecords(PlaneName.SOFTWARE, self.store, prefix=DOCUMENTS)
        self.campaigns = Campaigns(self.kept, clock=self.clock)
        self.tracker = StatusTracker(
            self.records,
            anchors=self.anchors if anchors is None else anchors,
            sorts=lambda: [sort_of(thing) for thing in self.things],
            scan=self._scan,
            clock=self.clock,
            shelf=Shelf(self.clock, self.campaigns),
        )
        return self.tracker

    async def _scan(self, image):
        return self.findings

    def admit(self, *things):
        self.tracker.resume(iter(things or self.things))
        return self

    def publish(self, encoded=None, image=IMAGE):
        chosen, self.planned = encoded or self.planned or made(), None
        return asyncio.run(self.tracker.publish(chosen, image, terms=OPEN))

    def plan(self, plan, encoded=None):
        """Say how a release is to be brought, as an operator does before it is published."""
        self.planned = encoded or made()
        asyncio.run(self.campaigns.intend(self.planned, plan))

    def look(self):
        asyncio.run(self.campaigns.look())

    def report(self, thing, encoded):
        asyncio.run(self.tracker.report(thing.id, encoded))

    def entries(self, kind):
        found = [entry.decode(leaf) for leaf in self.store.leaves()]
        return [one for one in found if one.kind is kind]
