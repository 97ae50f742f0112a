"""A thing says what its slots hold, anew each time, and to its domain alone."""

import pytest

from tests.unit.agent.updates import BIRTH, NEW, OLD
from tests.unit.endpoint import ladder
from thingstead.agent.attestation import Attester
from thingstead.agent.ports import Area, Installed
from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, generate
from thingstead.endpoint.event import AssociationId, ExchangeId, RequestReceived
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import DecodeError, ForbiddenError
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.eat import evidence
from thingstead.protocols.profile import attestation
from thingstead.protocols.profile.release import FIRMWARE
from thingstead.protocols.suit.digest import digest_of
from thingstead.simulator.virtual.memory import MemorySlots

pytestmark = pytest.mark.requirement("R-22")
KEY, NONCE = generate(KeyType.P256), bytes(16)


def attester(slots):
    return Attester(slots, BIRTH, key=lambda: KEY)


def state(slots):
    encoded = attester(slots).evidence(NONCE)
    return attestation.read_state(
        evidence.authenticate(encoded, KEY.public, accept=attestation.ACCEPT, nonce=NONCE, profile=attestation.PROFILE)
    )


def test_what_the_factory_put_there_has_no_manifest():
    found = state(MemorySlots(OLD))
    assert (found.vendor_id, found.class_id) == (BIRTH.vendor_id, BIRTH.class_id)
    assert (found.digests, found.manifest_digest) == ({"firmware": digest(OLD)}, b"")
    assert found.versions == {"firmware": "1.0.0"}


def test_a_release_on_trial_is_what_runs_and_every_component_is_measured():
    slots = MemorySlots(OLD, {(b"radio", b"\xff"): b"blob"})
    slots.write(Area.CANDIDATE, FIRMWARE, 0, NEW)
    slots.activate([FIRMWARE], Installed(7, digest_of(b"manifest").encode()))
    found = state(slots)
    assert found.digests == {"firmware": digest(NEW), "radio/ff": digest(b"blob")}
    assert found.manifest_digest == digest(b"manifest")


def ask(payload, *, by_domain=True):
    resources = Resources(lambda _event: None)
    attester(MemorySlots(OLD)).serve(resources)
    message = request(Code.POST, "/attestation", payload=payload)
    known = AssociationId("domain") if by_domain else None
    event = RequestReceived(ExchangeId(1), message, ladder.THING, known, None, None, None, True, False)
    return resources._handlers["/attestation"][Code.POST](Call(message, event, "domain", 0.0))


def test_the_domain_asks_with_a_nonce_and_nobody_else_does():
    assert ask(attestation.encode_request(NONCE)).code == Code.CHANGED
    with pytest.raises(ForbiddenError):
        ask(attestation.encode_request(NONCE), by_domain=False)
    with pytest.raises(DecodeError):
        ask(b"")
