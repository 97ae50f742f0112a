"""What speaks against a release is collected with its place; the policy says which of it counts."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from thingstead.analysis.consequence import read_members
from thingstead.analysis.image_scan import Finding
from thingstead.analysis.osv import read_record
from thingstead.analysis.release_check import Candidate, Signature, counted, objections, of_stance
from thingstead.analysis.release_diff import Side
from thingstead.analysis.vulnerability import Feed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.release_policy import Concern, Device, ReleasePolicy, Stance
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind

AT = datetime(2026, 11, 23, tzinfo=UTC)
CLASSIC, QUANTUM = int(AlgorithmId.ESP256), int(AlgorithmId.ML_DSA_44)
IMAGE = b"\x07" * 32


def files(*hosts, parts=({"name": "zlib", "version": "1.2"},), subject=None):
    bom: dict[str, object] = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list(parts)}
    if subject is not None:
        bom["metadata"] = {"component": {"name": "l", "hashes": [{"alg": "SHA-256", "content": subject.hex()}]}}
    services = tuple(Service(Remote(RemoteKind.DNS_NAME, host), 6, 443) for host in hosts)
    mud = render(Description("https://mud.example/l.json", AT, "lamp", "Example", "LX-1", services))
    return {"sbom.cdx.json": json.dumps(bom).encode(), "mud.json": mud}


def side(said, *, algorithms=(CLASSIC,), image=10_000):
    return Side("2", 2, image, 600, algorithms, read_members(said, at=AT))


CLEAN = Candidate(
    side(files("a.example")),
    side(files("a.example")),
    "LX-1",
    IMAGE,
    (),
    (Signature("key 1", CLASSIC),),
    AT + timedelta(days=365),
    None,
)


def found(candidate, policy=None, *, feed=None, crypto=None):
    policy = policy or ReleasePolicy()
    return objections(candidate, policy, feed=feed or Feed(), crypto=crypto or CryptoPolicy(), at=AT)


def concerns(candidate, *args, **kwargs):
    return [one.concern for one in found(candidate, *args, **kwargs)]


def test_nothing_speaks_against_a_release_that_says_all_and_grows_nothing():
    assert found(CLEAN) == ()


@pytest.mark.requirement("R-18")
@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({}, "sbom.cdx.json"),
        (files(parts=()), "sbom.cdx.json/components"),
        (files(subject=bytes(32)), "sbom.cdx.json/metadata/component/hashes"),
    ],
)
def test_a_release_that_does_not_say_what_it_is_made_of_is_named(said, place):
    (one,) = found(replace(CLEAN, side=side(said)))
    assert (one.concern, one.place) == (Concern.SBOM_MISSING, place)


def test_an_sbom_about_the_image_is_one():
    assert found(replace(CLEAN, side=side(files("a.example", subject=IMAGE)))) == ()


@pytest.mark.requirement("R-88")
def test_what_sits_in_the_image_is_named_by_offset_and_rule():
    scan = (Finding("private_key_der", 4096, "private key in DER"), Finding("e_mail_address", 9, "list of addresses"))
    secret, personal = found(replace(CLEAN, findings=scan))
    assert (secret.concern, personal.concern) == (Concern.SECRET, Concern.PERSONAL_DATA)
    assert str(secret) == "image, offset 4096: private key in DER (rule private_key_der)"


def test_a_new_destination_is_named_in_words():
    (one,) = found(replace(CLEAN, side=side(files("a.example", "b.example"))))
    assert (one.concern, one.place) == (Concern.NETWORK_GROWS, "mud.json")
    assert one.said == "it may contact b.example, by TCP on port 443 (web)"


def test_destinations_are_compared_with_what_things_may_do_now():
    rules = read_members(files("b.example"), at=AT).rules
    assert rules is not None
    grown = replace(CLEAN, side=side(files("b.example")))
    assert concerns(grown) == [Concern.NETWORK_GROWS]
    assert concerns(replace(grown, allowed=rules.rules)) == []
    assert concerns(replace(CLEAN, allowed=rules.rules)) == [Concern.NETWORK_GROWS]
    assert concerns(replace(CLEAN, before=None)) == [Concern.NETWORK_GROWS]


def test_fewer_destinations_and_no_file_at_all_grow_nothing():
    assert concerns(replace(CLEAN, side=side(files()))) == []
    assert concerns(replace(CLEAN, side=side({"sbom.cdx.json": files()["sbom.cdx.json"]}))) == []


def test_a_signature_that_ends_before_support_does_is_named():
    early = CryptoPolicy({"ESP256": date(2027, 1, 1)})
    (one,) = found(CLEAN, crypto=early)
    assert (one.concern, one.place) == (Concern.SIGNATURE_ENDS, "key 1")
    assert one.said == "ESP256 ends on 2027-01-01, support on 2027-11-23"
    assert found(replace(CLEAN, supported_until=None), crypto=early) == ()


def test_the_registrys_own_date_counts_and_so_does_the_end_of_a_certificate():
    assert concerns(replace(CLEAN, supported_until=datetime(2036, 1, 1, tzinfo=UTC))) == [Concern.SIGNATURE_ENDS]
    certificate = Signature("MUD authority", ends=AT + timedelta(days=30))
    (one,) = found(replace(CLEAN, signatures=(certificate,)))
    assert "the certificate ends on 2026-12-23" in one.said
    assert found(replace(CLEAN, signatures=(replace(certificate, ends=AT + timedelta(days=400)),))) == ()


@pytest.mark.requirement("R-75")
def test_an_unsafe_change_of_algorithms_is_named_by_its_question():
    only_new = replace(CLEAN, side=side(files("a.example"), algorithms=(QUANTUM,)))
    assert concerns(only_new) == [Concern.ALGORITHMS_UNSAFE]
    both = replace(CLEAN, side=side(files("a.example"), algorithms=(CLASSIC, QUANTUM), image=100_000))
    assert concerns(both) == []
    policy = ReleasePolicy(devices=(Device(("LX-*",), "C1", ("LoRaWAN DR0",), 2.0),))
    questions = [one.place for one in found(both, policy)]
    assert questions == ["RFC 8576 §5.4, question 2, C1", "RFC 8576 §5.4, question 3, LoRaWAN DR0"]
    assert concerns(replace(both, model="TH-1"), policy) == []


def test_where_no_algorithm_changes_nobody_asks_the_three_questions():
    policy = ReleasePolicy(devices=(Device(("*",), "C0"),))
    assert concerns(CLEAN, policy) == []
    assert concerns(replace(CLEAN, before=None, side=side(files(), algorithms=(QUANTUM,))), policy) == []


@pytest.mark.requirement("R-18")
def test_a_known_hole_is_named_by_its_component():
    package = {"name": "zlib", "ecosystem": "OSS-Fuzz"}
    rows = [{"package": package, "versions": ["1.2"], "ecosystem_specific": {"severity": "HIGH"}}]
    feed = Feed([read_record({"id": "X-1", "affected": rows})])
    (one,) = found(CLEAN, feed=feed)
    assert (one.concern, one.place) == (Concern.KNOWN_VULNERABILITY, "sbom.cdx.json/components/0")
    rows[0]["ecosystem_specific"] = {"severity": "LOW"}
    assert found(CLEAN, feed=Feed([read_record({"id": "X-1", "affected": rows})])) == ()


def test_the_policy_says_which_of_it_counts():
    both = found(replace(CLEAN, side=side({}), findings=(Finding("wifi_key", 1, "key"),)))
    policy = ReleasePolicy({Concern.SBOM_MISSING: Stance.ALLOW})
    assert [one.concern for one in of_stance(both, policy, Stance.REFUSE)] == [Concern.SECRET]
    assert [one.concern for one in of_stance(both, policy, Stance.ALLOW)] == [Concern.SBOM_MISSING]
    assert counted(both) == {"sbom_missing": 1, "secret_in_image": 1}
