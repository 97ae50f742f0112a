"""Every release that is authentic leaves a result with an outcome of each check, whatever becomes of it."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.unit.analysis.test_release_check import AT, CLEAN, found, side
from tests.unit.planes.software.desk import IMAGE, OPEN, made
from tests.unit.planes.software.test_publication import BEN, STRICT, Shop, files
from thingstead.analysis.image_scan import Finding
from thingstead.analysis.osv import read_record
from thingstead.analysis.vulnerability import Feed
from thingstead.crypto.digest import digest
from thingstead.domain import release_result
from thingstead.domain.check import Outcome
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.release_policy import Concern, ReleasePolicy, Stance
from thingstead.domain.release_result import Verdict
from thingstead.errors import AuthenticationError, DecodeError, ForbiddenError, HeldError, PolicyError, UntrustedError
from thingstead.planes.software.carried import Bundle
from thingstead.planes.software.examination import Examination
from thingstead.planes.software.scan_rules import EDITION
from thingstead.protocols.suit import envelope

pytestmark = pytest.mark.requirement("R-84")
LEAK = Finding("wifi_key", 7, "Wi-Fi key")
KNOWN = {"id": "X-1", "affected": [{"package": {"name": "zlib", "ecosystem": "OSS-Fuzz"}, "versions": ["1.2"]}]}


@pytest.fixture
def shop():
    shop = Shop()
    shop.admit()
    return shop


def document(shop, encoded=None):
    manifest = envelope.decode(encoded or shop.encoded).digest.value.hex()
    found = shop.tracker.result(manifest[:16])
    assert found is not None
    return found


def result_of(shop, encoded=None):
    return release_result.decode(document(shop, encoded))


def outcomes(result):
    return {one.name: one.outcome for one in result.checks}


def test_a_published_release_has_an_outcome_of_every_check_and_the_ledger_its_digest(shop):
    shop.bring("a.example", terms=replace(STRICT, policy=ReleasePolicy({Concern.NETWORK_GROWS: Stance.ALLOW})))
    result = result_of(shop)
    assert (result.verdict, result.is_first, result.model, result.sequence_number) == (
        Verdict.PUBLISHED,
        True,
        "LX-1",
        2,
    )
    assert outcomes(result) == {
        "signatures": Outcome.PASSED,
        "rehearsal": Outcome.PASSED,
        "image-scan": Outcome.PASSED,
        "statement": Outcome.PASSED,
        "reference-values": Outcome.NOT_APPLICABLE,
        "members": Outcome.PASSED,
        "network_grows": Outcome.ALLOWED,
        "secret_in_image": Outcome.PASSED,
        "personal_data_in_image": Outcome.PASSED,
        "sbom_missing": Outcome.PASSED,
        "signature_ends": Outcome.PASSED,
        "algorithms_unsafe": Outcome.NOT_APPLICABLE,
        "known_vulnerability": Outcome.NOT_APPLICABLE,
        "further": Outcome.NOT_APPLICABLE,
    }
    assert shop.entries(Kind.RELEASE)[-1].details["result"] == digest(document(shop))


def test_the_next_release_is_not_the_first_of_its_type(shop):
    shop.bring()
    shop.bring(version="1.2.0", number=3)
    assert not result_of(shop).is_first


def test_a_result_says_by_which_rules_and_records_it_was_judged(shop):
    before = shop.tracker.publication.feed.edition()
    shop.tracker.publication.feed.add(read_record(KNOWN | {"id": "Y-1"}))
    shop.bring(terms=replace(STRICT, policy=ReleasePolicy({Concern.KNOWN_VULNERABILITY: Stance.ALLOW})))
    result = result_of(shop)
    edition = shop.tracker.publication.feed.edition()
    assert edition != before
    assert result.basis == {"image-scan rules": EDITION, "vulnerability records": f"1, {edition.hex()}"}
    assert outcomes(result)["known_vulnerability"] is Outcome.ALLOWED


def test_an_older_edition_of_a_record_is_another_basis(shop):
    feed = shop.tracker.publication.feed
    feed.add(read_record(KNOWN))
    first = feed.edition()
    feed.add(read_record(KNOWN | {"summary": "worse"}))
    second = feed.edition()
    feed.add(read_record(KNOWN | {"withdrawn": "2026-01-01T00:00:00Z"}))
    assert len({first, second, feed.edition()}) == 3


def test_a_held_release_has_a_result_and_its_approval_another(shop):
    with pytest.raises(HeldError):
        shop.bring("b.example")
    held = result_of(shop)
    assert (held.verdict, outcomes(held)["network_grows"], outcomes(held)["further"]) == (
        Verdict.HELD,
        Outcome.HELD,
        Outcome.NOT_RUN,
    )
    assert shop.entries(Kind.RELEASE)[-1].details["result"] == digest(document(shop))
    shop.approve(BEN)
    assert result_of(shop).verdict is Verdict.PUBLISHED
    assert outcomes(result_of(shop))["network_grows"] is Outcome.HELD
    last = shop.entries(Kind.RELEASE)[-1]
    assert (last.actor, last.details["result"]) == (BEN.actor, digest(document(shop)))


def test_who_may_not_approve_changes_no_result(shop):
    with pytest.raises(HeldError):
        shop.bring("b.example")
    before = document(shop)
    with pytest.raises(ForbiddenError):
        shop.approve(STRICT)
    assert document(shop) == before
    assert "result" not in shop.entries(Kind.REFUSAL)[-1].details


def test_a_refused_release_has_a_result_with_the_reason(shop):
    shop.findings = [LEAK]
    with pytest.raises(PolicyError):
        shop.bring()
    result = result_of(shop)
    (secret,) = [one for one in result.checks if one.name == "secret_in_image"]
    assert (result.verdict, secret.outcome) == (Verdict.REFUSED, Outcome.REFUSED)
    assert secret.said == ("image, offset 7: Wi-Fi key (rule wifi_key)",)
    (entry,) = shop.entries(Kind.REFUSAL)
    assert (entry.cause, entry.details["result"]) == ("image", digest(document(shop)))


@pytest.mark.parametrize(
    ("changes", "error", "check"),
    [({"words.json": b"[]"}, DecodeError, "members"), ({"reference.corim": b"\x80"}, DecodeError, "reference-values")],
)
def test_a_member_that_is_refused_is_named_by_its_check(shop, changes, error, check):
    with pytest.raises(error):
        shop.bring(**changes)
    assert outcomes(result_of(shop))[check] is Outcome.REFUSED
    assert outcomes(result_of(shop))["network_grows"] is Outcome.NOT_RUN


def test_members_that_nobody_stated_are_refused_by_their_check(shop):
    shop.encoded = made()
    brought = Bundle(files(shop))
    with pytest.raises(UntrustedError):
        asyncio.run(shop.tracker.publish(shop.encoded, IMAGE, terms=STRICT, bundle=brought))
    assert outcomes(result_of(shop))["statement"] is Outcome.REFUSED


def test_what_cannot_be_looked_through_is_refused_by_that_check(shop):
    async def gives_up(_image):
        raise PolicyError("not in time", reason="image")

    shop.tracker._scan = gives_up
    with pytest.raises(PolicyError):
        shop.bring()
    assert outcomes(result_of(shop))["image-scan"] is Outcome.REFUSED


@dataclass(frozen=True)
class Brought:
    """So much of a release as its concerns are about."""

    installed: bytes


@pytest.mark.parametrize(
    ("installed", "candidate", "concern", "outcome"),
    [
        (CLEAN.image_digest, CLEAN, Concern.SECRET, Outcome.PASSED),
        (bytes(32), CLEAN, Concern.SECRET, Outcome.NOT_APPLICABLE),
        (bytes(32), CLEAN, Concern.PERSONAL_DATA, Outcome.NOT_APPLICABLE),
        (CLEAN.image_digest, replace(CLEAN, findings=(LEAK,)), Concern.SECRET, Outcome.REFUSED),
        (bytes(32), replace(CLEAN, findings=(LEAK,)), Concern.SECRET, Outcome.REFUSED),
        (CLEAN.image_digest, replace(CLEAN, side=side({})), Concern.NETWORK_GROWS, Outcome.NOT_APPLICABLE),
        (CLEAN.image_digest, replace(CLEAN, supported_until=None), Concern.SIGNATURE_ENDS, Outcome.NOT_APPLICABLE),
        (CLEAN.image_digest, replace(CLEAN, before=None), Concern.ALGORITHMS_UNSAFE, Outcome.NOT_APPLICABLE),
        (CLEAN.image_digest, CLEAN, Concern.KNOWN_VULNERABILITY, Outcome.NOT_APPLICABLE),
    ],
)
def test_a_check_that_cannot_tell_is_not_passed(installed, candidate, concern, outcome):
    brought: Any = Brought(installed)
    examined = Examination(brought, model="LX-1", is_first=True, at=AT)
    examined.judge(candidate, found(candidate), ReleasePolicy(), Feed())
    assert examined.outcomes[concern.value] is outcome


def test_whoever_hooked_in_is_a_check_like_the_others(shop):
    async def agrees(_release):
        return None

    async def objects(_release):
        raise PolicyError("not on a Friday", reason="friday")

    shop.tracker.checks.append(agrees)
    shop.bring()
    assert outcomes(result_of(shop))["further"] is Outcome.PASSED
    shop.tracker.checks.append(objects)
    with pytest.raises(PolicyError):
        shop.bring(version="1.2.0", number=3)
    assert outcomes(result_of(shop))["further"] is Outcome.REFUSED


def test_what_is_not_authentic_is_no_release_and_has_no_result(shop):
    other = made()
    with pytest.raises(AuthenticationError):
        asyncio.run(shop.tracker.publish(other, IMAGE[::-1], terms=OPEN))
    assert shop.tracker.result(envelope.decode(other).digest.value.hex()) is None
    assert set(shop.entries(Kind.REFUSAL)[-1].details) == {"what"}
