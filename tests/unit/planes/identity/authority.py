"""A certificate authority over records in memory."""

from datetime import timedelta

from tests.unit.controller.planes import JumpingClock
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.plane import PlaneName
from thingstead.planes.identity.certificate_authority import CertificateAuthority
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

KEY = generate(KeyType.P256)
HOLDER = generate(KeyType.P256).public


def authority(store: MemoryStore | None = None, clock: JumpingClock | None = None) -> CertificateAuthority:
    store = store or MemoryStore()
    numbers = iter(range(1, 1000))
    return CertificateAuthority(
        PlaneRecords(PlaneName.IDENTITY, store),
        KEY,
        domain="home",
        clock=clock or JumpingClock(),
        random_bytes=lambda size: next(numbers).to_bytes(size, "big"),
        validity=timedelta(days=90),
    )
