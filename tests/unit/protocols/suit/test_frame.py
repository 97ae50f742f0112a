"""Manifests that depend on manifests, signed by others.

::

    root (maker of the thing)          dependency (maker of the radio)
    resolve   fetch, integrity
    install   process          ->      install   fetch, image match
    validate  process          ->      validate  image match
    SetActive of both, in one step
"""

from dataclasses import dataclass, field, replace

import pytest

from tests.unit.protocols.suit.releases import (
    ANCHORS,
    BOTH,
    CLASS,
    CLASSIC,
    CLASSIC_SIGNER,
    FIRMWARE,
    NEW,
    POLICY,
    STRANGER,
    THING,
    URI,
    VENDOR,
    Machine,
    authentic,
    custom,
    processor,
)
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ForbiddenError,
    ReplayError,
    StateError,
    ThingsteadError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit import builder, effect, envelope
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Signer
from thingstead.protocols.suit.digest import digest_of, digest_of_member
from thingstead.protocols.suit.effect import ReadEnvelope, SetActive, Unlink, WaitFor
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.frame import TrustDomain
from thingstead.protocols.suit.manifest import ComponentId, open_manifest
from thingstead.protocols.suit.parameter import WaitEvent
from thingstead.protocols.suit.step import DEFAULT_LIMITS

RADIO, RADIO_MANIFEST, CHIP = (b"radio",), (b"radio.suit",), (b"chip",)
RADIO_URI, MANIFEST_URI = "coap://radio.example/1.4", "coap://domain.example/sw/radio.suit"
RADIO_IMAGE = b"radio 1.4"
RADIO_SIGNER = Signer(b"radio-2026", AlgorithmId.ESP256)
RADIO_KEYS = ((RADIO_SIGNER, STRANGER),)
RADIO_DOMAIN = TrustDomain(
    {RADIO_SIGNER.kid: STRANGER.public}, AuthenticationPolicy((RADIO_SIGNER,)), frozenset({RADIO, CHIP})
)
ALL = replace(THING, components=frozenset({FIRMWARE, RADIO, RADIO_MANIFEST, CHIP}))
IDENTIFY = [1, 15, 2, 15]
ROOT_SHARED = [12, 0, 20, {1: VENDOR, 2: CLASS, 3: digest_of(NEW).encode(), 14: len(NEW)}, *IDENTIFY]
RADIO_SHARED = [20, {1: VENDOR, 2: CLASS, 3: digest_of(RADIO_IMAGE).encode(), 14: len(RADIO_IMAGE)}, *IDENTIFY]
FETCH_FIRMWARE = [12, 0, 20, {21: URI}, 21, 15, 3, 15]
PROCESS = [12, 1, 11, 0]


def manifest(sections, *, shared, components, dependencies=None, sequence_number=7):
    common = {2: [list(component) for component in components], 4: codec.encode(shared)}
    common |= {} if dependencies is None else {1: dependencies}
    members = {1: 1, 2: sequence_number, 3: codec.encode(common)}
    return codec.encode(members | {key: codec.encode(sequence) for key, sequence in sections.items()})


def wrapped(encoded, keys, payloads=None):
    digest = digest_of_member(encoded)
    return builder.sign(Envelope(digest, digest.encode(), (), encoded, {}, payloads or {}), keys)


def radio(sections=None, *, keys=RADIO_KEYS, shared=RADIO_SHARED, components=(RADIO,)):
    sections = sections or {20: [20, {21: RADIO_URI}, 21, 15, 3, 15], 7: [3, 15]}
    return wrapped(manifest(sections, shared=shared, components=components), keys)


def resolve(dependency, *, uri=MANIFEST_URI):
    return [12, 1, 20, {3: dependency.digest.encode(), 21: uri}, 21, 15, 7, 15]


def root(dependency, sections=None, *, metadata=None, payloads=None, uri=MANIFEST_URI, **changes):
    usual = {
        15: resolve(dependency, uri=uri),
        20: [*PROCESS, *FETCH_FIRMWARE],
        7: [*PROCESS, 12, 0, 3, 15],
    }
    sections = usual | {int(key): value for key, value in (sections or {}).items()}
    encoded = manifest(
        {key: value for key, value in sections.items() if value is not None},
        shared=changes.get("shared", ROOT_SHARED),
        components=(FIRMWARE,),
        dependencies=metadata or {1: {1: list(RADIO_MANIFEST)}},
    )
    return _open(wrapped(encoded, BOTH, payloads))


def _open(found):
    return open_manifest(authentic(found))


@dataclass
class Site(Machine):
    """A thing of several components that waits, has a battery, and counts references."""

    battery: int = 100
    authorized: bool = True
    versions: dict[ComponentId, tuple[int, ...]] = field(default_factory=dict)
    events: list[object] = field(default_factory=list)
    unlinked: list[ComponentId] = field(default_factory=list)

    def __post_init__(self):
        self.active |= dict.fromkeys((RADIO, RADIO_MANIFEST, CHIP), b"")

    def execute(self, asked):
        match asked:
            case effect.ReadEnvelope():
                return self.read(asked.component)
            case effect.CheckBattery():
                return self.battery >= asked.minimum
            case effect.CheckAuthorized():
                return self.authorized
            case effect.ReadVersion():
                return self.versions.get(asked.component)
            case effect.WaitFor():
                return self.events.append(dict(asked.info))
            case effect.Unlink():
                return self.unlinked.append(asked.component)
            case _:
                return super().execute(asked)


def site(dependency):
    return Site(served={URI: NEW, RADIO_URI: RADIO_IMAGE, MANIFEST_URI: envelope.encode(dependency)})


def run(subject, machine, *, domains=(RADIO_DOMAIN,), thing=ALL, limits=DEFAULT_LIMITS, procedure="update"):
    made = processor(subject, thing=thing, limits=limits, domains=domains)
    machine.run(getattr(made, procedure)())
    return made


def refused(subject, machine, expected, reason, **options):
    with pytest.raises(expected) as caught:
        run(subject, machine, **options)
    assert caught.value.reason == reason
    assert machine.active[FIRMWARE] != NEW
    assert machine.active[RADIO] == b""
    assert machine.sequence == 6


@pytest.mark.requirement("R-29")
@pytest.mark.spec("draft-ietf-suit-trust-domains 5.4")
def test_a_dependency_of_another_signer_is_installed_with_its_dependent_in_one_step():
    machine = site(radio())
    subject = root(radio())
    run(subject, machine)
    assert (machine.active[FIRMWARE], machine.active[RADIO]) == (NEW, RADIO_IMAGE)
    assert machine.active[RADIO_MANIFEST] == machine.served[MANIFEST_URI]
    assert machine.effects[-1] == SetActive((FIRMWARE, RADIO_MANIFEST, RADIO), 7, subject.digest)
    assert [one for one in machine.effects if isinstance(one, SetActive)] == machine.effects[-1:]


@pytest.mark.spec("draft-ietf-suit-trust-domains 5.4")
def test_sections_run_in_lockstep():
    machine = site(radio())
    run(root(radio()), machine)
    fetched = [one.uri for one in machine.effects if isinstance(one, effect.Fetch)]
    assert fetched == [MANIFEST_URI, RADIO_URI, URI]


@pytest.mark.spec("draft-ietf-suit-trust-domains 9.1.1")
def test_an_integrated_dependency_needs_no_fetch():
    found = radio()
    subject = root(found, payloads={"#radio": envelope.encode(found)}, uri="#radio")
    machine = Site(served={URI: NEW, RADIO_URI: RADIO_IMAGE})
    run(subject, machine)
    assert machine.active[RADIO] == RADIO_IMAGE


@pytest.mark.spec("draft-ietf-suit-trust-domains 5.2")
def test_a_prefix_stands_before_the_components_of_a_dependency_among_the_components():
    found = radio(components=((b"a",),))
    prefixed = (b"radio.suit", b"a")
    sections = {15: resolve(found), 20: [*PROCESS, *FETCH_FIRMWARE], 7: [*PROCESS, 12, 0, 3, 15]}
    encoded = manifest(
        sections,
        shared=ROOT_SHARED,
        components=(FIRMWARE, RADIO_MANIFEST),
        dependencies={1: {1: list(RADIO_MANIFEST)}},
    )
    machine = site(found)
    machine.active[prefixed] = b""
    thing = replace(ALL, components=ALL.components | {prefixed})
    domain = replace(RADIO_DOMAIN, components=frozenset({prefixed}))
    run(_open(wrapped(encoded, BOTH)), machine, thing=thing, domains=(domain,))
    assert machine.active[prefixed] == RADIO_IMAGE


@pytest.mark.spec("draft-ietf-suit-trust-domains 5.7.1")
def test_a_dependent_sets_what_its_dependency_left_to_it_and_nothing_else():
    other = "coap://mirror.example/radio"
    elsewhere = {20: [12, 1, 11, 0, *FETCH_FIRMWARE]}
    for directive, expected in ((19, other), (20, RADIO_URI)):
        found = radio({20: [directive, {21: RADIO_URI}, 21, 15, 3, 15], 7: [3, 15]})
        sections = {20: [12, 2, 19, {21: other}, *elsewhere[20]]}
        subject = root(found, sections, metadata={1: {1: list(RADIO_MANIFEST)}, 2: {1: list(RADIO)}})
        machine = site(found)
        machine.served[other] = RADIO_IMAGE
        run(subject, machine)
        assert expected in [one.uri for one in machine.effects if isinstance(one, effect.Fetch)]


@pytest.mark.requirement("R-29")
@pytest.mark.spec("draft-ietf-suit-trust-domains 5.7.4")
def test_any_other_manifest_than_the_one_named_is_refused():
    other = radio({20: [20, {21: RADIO_URI}, 21, 15, 3, 15]})
    machine = site(other)
    refused(root(radio()), machine, AuthenticationError, "dependency-digest")


@pytest.mark.requirement("R-29")
@pytest.mark.spec("draft-ietf-suit-trust-domains 5.7.4")
@pytest.mark.parametrize("keys", [(), ((CLASSIC_SIGNER, CLASSIC),), ((RADIO_SIGNER, CLASSIC),)])
def test_a_dependency_that_its_domain_did_not_sign_is_refused(keys):
    found = radio(keys=keys)
    with pytest.raises((AuthenticationError, UntrustedError)):
        run(root(found), site(found))


def test_without_a_domain_nobody_may_sign_dependencies():
    refused(root(radio()), site(radio()), UntrustedError, "signers", domains=())


def test_the_second_domain_may_be_the_one_that_signed():
    maker = TrustDomain(ANCHORS, POLICY, frozenset({FIRMWARE}))
    machine = site(radio())
    run(root(radio()), machine, domains=(maker, RADIO_DOMAIN))
    assert machine.active[RADIO] == RADIO_IMAGE


@pytest.mark.requirement("R-29")
@pytest.mark.spec("draft-ietf-suit-manifest 9")
def test_a_domain_does_not_touch_components_of_another():
    found = radio(components=(FIRMWARE,))
    refused(root(found), site(found), UntrustedError, "component")
    for components in (frozenset(), frozenset({CHIP})):
        domain = replace(RADIO_DOMAIN, components=components)
        refused(root(radio()), site(radio()), UntrustedError, "component", domains=(domain,))


def test_a_component_that_the_thing_does_not_have_is_refused():
    thing = replace(ALL, components=ALL.components - {RADIO})
    refused(root(radio()), site(radio()), UnsupportedError, "component", thing=thing)


@pytest.mark.requirement("R-29")
def test_a_dependency_for_another_class_is_refused():
    for identifiers in ({1: bytes(16), 2: CLASS}, {1: VENDOR, 2: bytes(16)}):
        found = radio(shared=[20, {**identifiers, 3: digest_of(RADIO_IMAGE).encode(), 14: 9}, *IDENTIFY])
        with pytest.raises(ForbiddenError):
            run(root(found), site(found))
    silent = radio(shared=[20, {3: digest_of(RADIO_IMAGE).encode(), 14: 9}])
    refused(root(silent), site(silent), ForbiddenError, "vendor")


@pytest.mark.spec("draft-ietf-suit-trust-domains 5.1")
@pytest.mark.parametrize(
    "sections",
    [
        {20: FETCH_FIRMWARE},
        {7: [12, 0, 3, 15]},
        {7: None},
        {20: [*FETCH_FIRMWARE, 12, 1, 15, [codec.encode([8, 15, 14, 15]), None]]},
    ],
    ids=("not installed", "not validated", "no such section", "given up in a try"),
)
def test_no_section_of_a_dependency_is_left_out(sections):
    refused(root(radio(), sections), site(radio()), StateError, "dependency")


@pytest.mark.spec("draft-ietf-suit-trust-domains 5.7.2")
@pytest.mark.parametrize(
    "sections",
    [
        {15: [12, 1, 20, {3: digest_of(b"").encode(), 21: MANIFEST_URI}, 21, 15]},
        {20: [12, 0, 11, 0]},
        {20: [12, 0, 7, 15]},
    ],
    ids=("integrity never checked", "no dependency", "integrity of no dependency"),
)
def test_only_what_was_checked_and_is_a_dependency_is_processed(sections):
    refused(root(radio(), sections), site(radio()), StateError, "dependency")


def test_a_dependency_is_not_processed_in_the_shared_sequence():
    shared = [*ROOT_SHARED, 12, 1, 11, 0]
    refused(root(radio(), shared=shared), site(radio()), StateError, "dependency")


def test_a_dependency_that_is_fetched_again_is_checked_again():
    sections = {20: [12, 1, 20, {21: MANIFEST_URI, 3: radio().digest.encode()}, 21, 15, 11, 0]}
    refused(root(radio(), sections), site(radio()), StateError, "dependency")


def test_no_payload_is_fetched_while_dependencies_are_resolved():
    sections = {15: [*resolve(radio()), *FETCH_FIRMWARE]}
    refused(root(radio(), sections), site(radio()), UnsupportedError, "command")


@pytest.mark.spec("draft-ietf-suit-trust-domains 5.2")
def test_the_image_match_of_a_dependency_is_over_its_manifest_alone():
    found = radio()
    again = replace(found, blocks=(*found.blocks, *builder.sign(found, BOTH).blocks))
    sections = {15: [12, 1, 20, {3: found.digest.encode(), 21: MANIFEST_URI}, 21, 15, 3, 15, 7, 15]}
    machine = site(again)
    run(root(found, sections), machine)
    assert machine.active[RADIO] == RADIO_IMAGE
    other = site(radio({20: [20, {21: RADIO_URI}, 21, 15, 3, 15]}))
    refused(root(found, sections), other, AuthenticationError, "dependency-digest")


def test_what_is_no_envelope_or_too_large_is_refused():
    for served in (b"", b"\xa0", b"\xd8\x6b\xa0"):
        machine = site(radio())
        machine.served[MANIFEST_URI] = served
        refused(root(radio()), machine, DecodeError, "malformed")
    limits = replace(DEFAULT_LIMITS, max_envelope_bytes=64)
    refused(root(radio()), site(radio()), DecodeError, "malformed", limits=limits)


def test_dependencies_are_not_endless():
    limits = replace(DEFAULT_LIMITS, max_depth=1)
    refused(root(radio()), site(radio()), StateError, "depth", limits=limits)


def test_steps_of_dependencies_count():
    limits = replace(DEFAULT_LIMITS, max_steps=30)
    refused(root(radio()), site(radio()), StateError, "steps", limits=limits)


def test_an_image_of_a_dependency_that_does_not_match_stops_all():
    machine = site(radio())
    machine.served[RADIO_URI] = b"radio 0.1"
    refused(root(radio()), machine, AuthenticationError, "image-digest")


def test_the_position_of_a_failure_names_the_dependency():
    machine = site(radio())
    machine.served[RADIO_URI] = b"radio 0.1"
    made = processor(root(radio()), thing=ALL, domains=(RADIO_DOMAIN,))
    with pytest.raises(ThingsteadError):
        machine.run(made.update())
    assert (made.position.manifest, made.position.section) == ((1,), 20)


def test_a_root_that_is_not_newer_is_refused_before_its_dependencies_are_asked_for():
    machine = site(radio())
    thing = replace(ALL, installed_sequence=7)
    with pytest.raises(ReplayError):
        run(root(radio()), machine, thing=thing)
    assert machine.effects == []


@pytest.mark.parametrize(
    "metadata",
    [
        {2: {1: list(RADIO_MANIFEST)}},
        {1: {}},
        {1: {1: list(FIRMWARE)}},
        {1: {1: "radio"}},
        {1: {2: 1}},
        {-1: {1: list(RADIO_MANIFEST)}},
        {1: None},
        [1],
    ],
    ids=("gap", "nameless", "named like another", "text", "unknown", "negative", "nil", "list"),
)
def test_dependencies_outside_the_grammar_are_refused(metadata):
    with pytest.raises((DecodeError, UnsupportedError)):
        root(radio(), metadata=metadata)


@pytest.mark.spec("draft-ietf-suit-trust-domains 6")
def test_what_is_uninstalled_unlinks_its_dependencies_first():
    found = radio({20: [20, {21: RADIO_URI}, 21, 15, 3, 15], 7: [3, 15], 24: [33, 15]})
    integrity = [12, 1, 20, {3: found.digest.encode()}, 7, 15]
    machine = site(found)
    subject = root(found, {24: [*integrity, 33, 15, 12, 0, 33, 15]})
    run(subject, machine)
    run(subject, machine, procedure="uninstallation")
    assert machine.unlinked == [RADIO, RADIO_MANIFEST, FIRMWARE]
    assert [one for one in machine.effects if isinstance(one, Unlink)] == machine.effects[-3:]


@pytest.mark.spec("draft-ietf-suit-trust-domains 5.7.5")
def test_nothing_is_unlinked_twice_and_no_manifest_that_was_not_checked():
    machine = site(radio())
    subject = root(radio(), {24: [12, 0, 33, 15, 33, 15]})
    with pytest.raises(StateError) as caught:
        run(subject, machine, procedure="uninstallation")
    assert caught.value.reason == "unlink"
    with pytest.raises(StateError) as caught:
        run(root(radio(), {24: [12, 1, 33, 15]}), machine, procedure="uninstallation")
    assert caught.value.reason == "dependency"


# --- what update management adds (draft-ietf-suit-update-management §5)

INSTALL = [20, {21: URI}, 21, 15, 3, 15]


@pytest.mark.spec("draft-ietf-suit-update-management 5")
@pytest.mark.parametrize(
    ("parameters", "condition", "changed", "reason"),
    [
        ({26: 50}, 26, {"battery": 49}, "battery"),
        ({27: -1}, 27, {"authorized": False}, "unauthorized"),
        ({28: codec.encode([2, [1, 4]])}, 28, {"versions": {FIRMWARE: (1, 3, 9)}}, "version"),
        ({28: codec.encode([2, [1, 4]])}, 28, {"versions": {}}, "version"),
    ],
    ids=("battery", "authorized", "version", "no version"),
)
def test_a_condition_of_the_site_holds_an_update_up(parameters, condition, changed, reason):
    subject = custom(install=[20, parameters, condition, 15, *INSTALL])
    fine = Site(versions={FIRMWARE: (1, 4)})
    fine.run(processor(subject).update())
    assert fine.active[FIRMWARE] == NEW
    machine = Site(**changed)
    with pytest.raises(ThingsteadError) as caught:
        machine.run(processor(subject).update())
    assert caught.value.reason == reason
    assert machine.active[FIRMWARE] != NEW


@pytest.mark.parametrize("condition", [26, 27, 28])
def test_a_condition_without_its_parameter_does_not_hold(condition):
    with pytest.raises(StateError):
        Site().run(processor(custom(install=[condition, 15, *INSTALL])).update())


@pytest.mark.spec("draft-ietf-suit-update-management 5.6")
def test_an_update_waits_for_its_events():
    subject = custom(install=[20, {29: codec.encode({1: -1, 2: 10})}, 29, 15, *INSTALL])
    machine = Site()
    machine.run(processor(subject).update())
    assert machine.events == [{WaitEvent.AUTHORIZATION: -1, WaitEvent.POWER: 10}]
    assert isinstance(machine.effects[0], WaitFor)
    with pytest.raises(StateError):
        Site().run(processor(custom(install=[29, 15, *INSTALL])).update())


@pytest.mark.spec("draft-ietf-suit-update-management 5.7")
def test_parameters_are_set_for_many_components_and_copied_between_them():
    shared = [12, 0, 20, {1: VENDOR, 2: CLASS}, *IDENTIFY]
    fetched = [12, True, 21, 15, 3, 15]
    subject = custom(
        components=(FIRMWARE, RADIO),
        shared=shared,
        install=[
            *[12, 0, 34, {0: {3: digest_of(NEW).encode(), 14: len(NEW), 21: URI}}],
            *[12, 1, 35, {0: [3, 14, 21]}],
            *fetched,
        ],
    )
    machine = site(radio())
    machine.run(processor(subject, thing=ALL).update())
    assert (machine.active[FIRMWARE], machine.active[RADIO]) == (NEW, NEW)


@pytest.mark.parametrize(
    ("commands", "error"),
    [
        ([34, {2: {21: URI}}], DecodeError),
        ([35, {2: [3]}], DecodeError),
        ([35, {0: [21]}], StateError),
        ([34, {0: {30: b"x"}}], UnsupportedError),
    ],
    ids=("set beyond", "copied from beyond", "not set", "unused"),
)
def test_parameters_of_what_is_not_there_are_refused(commands, error):
    with pytest.raises(error):
        Site().run(processor(custom(install=[*commands, *INSTALL])).update())


def test_only_a_dependency_is_read_as_an_envelope():
    machine = site(radio())
    run(root(radio()), machine)
    assert {one.component for one in machine.effects if isinstance(one, ReadEnvelope)} == {RADIO_MANIFEST}
