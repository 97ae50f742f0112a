"""The join decision: nothing is granted that the ledger does not say, and one thing never becomes two."""

import asyncio
import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.unit.controller.planes import FakePlane, House
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.admission import Admission
from thingstead.controller.conductor import Conductor
from thingstead.controller.waiting_room import WaitingRoom
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Cause, LifecycleState, Restriction
from thingstead.domain.plane import PlaneName
from thingstead.domain.policy import IdentityFacts, JoinPolicy, JoinRule, OwnerPolicy, ProfileName, Verdict
from thingstead.domain.serial import parse_serials
from thingstead.domain.thing import KeyRow
from thingstead.domain.unit import Unit
from thingstead.errors import ForbiddenError, PolicyError, StateError, StorageError, TransportError, UntrustedError
from thingstead.phases.bootstrap import Newcomer
from thingstead.phases.manufacture import Maker, Model, bear
from thingstead.planes.access.authorization_server import AuthorizationServer
from thingstead.planes.access.issued_tokens import IssuedTokens
from thingstead.planes.access.relying_party import RelyingParties
from thingstead.planes.identity.certificate_authority import CertificateAuthority
from thingstead.planes.identity.ownership import Ownership
from thingstead.planes.identity.registrar import Registrar
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.lake_authz.message import VoucherRequest
from thingstead.secret import Secret
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

S = LifecycleState
MAKER = Maker("acme", "acme.example", generate(KeyType.P256), (generate(KeyType.P256),))
THING_KEY, OTHER_KEY, PLANE_KEY, DOMAIN_KEY = (generate(KeyType.P256) for _ in range(4))
SCOPES = {"member": Scope({"/senml": int(Permission.POST)}), "guest": Scope({"/update": int(Permission.GET)})}


async def nobody(_thing, _message):
    raise TransportError("off")


class Live:
    """Associations, live or not."""

    def __init__(self):
        self.live = set()

    def install(self, association):
        self.live.add(association.thing)

    def end(self, thing):
        self.live.discard(thing)
        return 0

    def sequence_reserved(self, thing, upto):
        pass

    def is_live(self, thing):
        return thing in self.live

    def last_acceptance(self, thing):
        return None


class PatientStore(MemoryStore):
    """A disk: others have their turn before a write returns; `is_full` refuses the next writes."""

    is_full = False

    async def commit(self, unit):
        for _ in range(3):
            await asyncio.sleep(0)
        if self.is_full:
            raise StorageError("no space left")
        return await super().commit(unit)


def rule(verdict=Verdict.ADMIT, scope="member", **changes):
    return replace(JoinRule("lamps", ("acme",), ("LX-*",), parse_serials(["*"]), verdict, "floor-1", scope), **changes)


class Unowned(Ownership):
    """Asks nobody for papers, but for those of `objections`."""

    def __init__(self):
        self.objections = {}
        self.menders = {}

    def objection(self, identity, said):
        return self.objections.get(identity.serial, "")

    def release_keys(self, identity):
        return self.menders.get(identity.serial, ())


class Door:
    """An admission with its identity and access planes real, and the other four told to obey."""

    def __init__(self, *rules, profile=ProfileName.BUILDING, store=None):
        self.store = store or PatientStore()
        house = House(self.store)
        self.clock, self.register, randbytes = house.clock, house.register, random.Random(7).randbytes
        self.live = Live()
        self.ownership = Unowned()
        self.asked: list[tuple[str, VoucherRequest]] = []
        self.unattested = False
        self.answer: bytes | Exception = b"voucher"
        self.places = []
        common: dict[str, Any] = {
            "domain": "home",
            "clock": self.clock,
            "random_bytes": randbytes,
            "validity": timedelta(days=30),
        }
        self.identity = CertificateAuthority(PlaneRecords(PlaneName.IDENTITY, self.store), PLANE_KEY, **common)
        self.access = AuthorizationServer(
            PlaneRecords(PlaneName.ACCESS, self.store),
            PLANE_KEY,
            self.live,
            IssuedTokens(PlaneRecords(PlaneName.ACCESS, self.store, prefix="trl/"), clock=self.clock),
            RelyingParties(nobody),
            holder=DOMAIN_KEY.public,
            **common,
        )
        self.planes: dict[PlaneName, Any] = {
            **house.planes,
            PlaneName.IDENTITY: self.identity,
            PlaneName.ACCESS: self.access,
        }
        self.conductor = Conductor(
            self.planes.values(), self.register, store=self.store, clock=self.clock, wait=self.clock.wait
        )
        self.admission = Admission(
            self.conductor,
            self.register,
            store=self.store,
            identity=self.identity,
            access=self.access,
            ownership=self.ownership,
            policy=OwnerPolicy(JoinPolicy(profile, SCOPES, rules), Scope({"/light": int(Permission.GET)})),
            waiting=WaitingRoom(
                PlaneRecords(PlaneName.IDENTITY, self.store, prefix="waiting/"), clock=self.clock, seats=3
            ),
            vouch=self._vouch,
            issuer_credential=b"issuer",
            clock=self.clock,
            random_bytes=randbytes,
            note_place=self._note,
            attest=self._attest,
        )

    def approve(self, scope="member", **said):
        return asyncio.run(self.admission.approve(self.things[0].id, scope, by="owner", **said))

    async def _attest(self, thing, newcomer):
        if self.unattested:
            raise ForbiddenError(f"{thing.id} waits for evidence", reason="attestation")

    async def _vouch(self, maker, question):
        self.asked.append((maker, question))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def _note(self, thing, source):
        self.places.append((thing, source))

    def come(self, *newcomers):
        """All of them at once; what each got, or why not."""

        async def story():
            return await asyncio.gather(*map(self.admission, newcomers), return_exceptions=True)

        results = asyncio.run(story())
        return results[0] if len(newcomers) == 1 else results

    def entries(self, kind):
        return [one for one in map(entry.decode, self.store.leaves()) if one.kind is kind]

    @property
    def things(self):
        return list(self.register.things())


def newcomer(key=THING_KEY, serial="A0001", number=1, support_end=date(2031, 1, 1)):
    born = bear(
        MAKER,
        Model("LX-1", 2, "https://acme.example/lx-1.json", support_end),
        serial,
        thing_key=key.public,
        domain_key=DOMAIN_KEY.public,
        at=AT,
        voucher_expires=AT + timedelta(days=1),
    )
    identity = Registrar({"acme": MAKER.anchor.public}).authenticate(born.maker_identity, at=AT)
    oscore = OscoreParameters(
        Secret(bytes([number]) * 16),
        bytes(8),
        bytes([number]),
        bytes([100 + number]) * 3,
        AlgorithmId.AES_CCM_16_64_128,
        AlgorithmId.SHA_256,
    )
    return Newcomer(identity, oscore, "192.0.2.1")


NEWCOMER = newcomer()


def known(state, restriction=Restriction.NONE):
    """A store that holds the newcomer already."""
    store = PatientStore()
    keys = (KeyRow(cose_key.thumbprint(THING_KEY.public), "maker", AT),)
    thing = a_thing(state=state, restriction=restriction, serial="A0001", keys=keys)
    asyncio.run(store.commit(Unit(things=(thing,))))
    return store


@pytest.mark.requirement("R-59")
@pytest.mark.parametrize("rules", [(), (rule(Verdict.REFUSE),), (rule(until=AT),), (rule(makers=("brook",)),)])
def test_who_is_proven_and_not_wanted_is_recorded_twice_and_not_made_known(rules):
    door = Door(*rules)
    refused = door.come(NEWCOMER)
    assert (type(refused), refused.reason) == (PolicyError, "refused")
    assert [one.cause for one in door.entries(Kind.AUTHENTICATION)] == ["edhoc-3"]
    assert [one.cause for one in door.entries(Kind.AUTHORIZATION)] == ["refuse"]
    assert (door.things, door.live.live, door.places) == ([], set(), [])


def test_a_known_thing_that_is_not_wanted_any_more_stays_as_it_was():
    door = Door(rule(Verdict.REFUSE), store=known(S.OPERATIONAL))
    assert door.come(NEWCOMER).reason == "refused"
    (thing,) = door.things
    assert (thing.state, thing.version) == (S.OPERATIONAL, 1)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_thing_that_comes_without_end_does_not_write_without_end(verdict):
    door = Door(rule(verdict))
    for _ in range(12):
        refused = door.come(NEWCOMER)
    assert (type(refused), refused.reason) == (PolicyError, "often")
    assert len(door.entries(Kind.AUTHORIZATION)) == 10


def test_who_comes_too_often_may_come_again_soon_and_hinders_nobody_else():
    door = Door(rule(Verdict.REFUSE))
    for _ in range(20):
        door.come(NEWCOMER)
    assert door.come(newcomer(serial="A0002")).reason == "refused"
    door.clock.seconds += 11.0
    assert door.come(NEWCOMER).reason == "refused"


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("state", [S.DECOMMISSIONED, S.RE_OWNED])
def test_a_retired_thing_is_not_even_asked_about(state):
    door = Door(rule(), store=known(state))
    refused = door.come(NEWCOMER)
    assert (type(refused), refused.reason) == (UntrustedError, "retired")
    assert door.entries(Kind.AUTHORIZATION) == []


@pytest.mark.requirement("R-22")
def test_a_thing_that_waits_for_evidence_is_known_and_holds_nothing():
    door = Door(rule())
    door.unattested = True
    refused = door.come(NEWCOMER)
    assert (type(refused), refused.reason) == (ForbiddenError, "attestation")
    assert door.things[0].joined_at is None
    assert door.live.live == set()


@pytest.mark.parametrize("restriction", [Restriction.QUARANTINED, Restriction.HELD])
def test_a_restricted_thing_neither_joins_its_way_out_nor_is_approved(restriction):
    door = Door(rule(), store=known(S.OPERATIONAL, restriction))
    assert door.come(NEWCOMER).reason == restriction
    with pytest.raises(UntrustedError):
        door.approve()
    assert door.live.live == set()


def test_an_approval_runs_out():
    door = Door(rule(Verdict.HOLD))
    door.come(NEWCOMER)
    door.approve()
    door.clock.seconds += timedelta(days=400).total_seconds()
    assert door.come(NEWCOMER).reason == "held"


@pytest.mark.parametrize(
    "door",
    [
        lambda: Door(rule(Verdict.HOLD)),
        lambda: Door(profile=ProfileName.HOME),
        lambda: Door(rule(scope="absent")),
    ],
    ids=["held by a rule", "listed nowhere", "a scope that is not there"],
)
def test_who_has_to_wait_is_known_has_nothing_and_waits_again(door):
    door = door()
    for _ in range(2):
        held = door.come(NEWCOMER)
        assert (type(held), held.reason) == (PolicyError, "held")
    (thing,) = door.things
    assert (thing.state, thing.keys, door.live.live) == (S.INSTALLED, (), set())


def test_a_thing_that_its_maker_stopped_mending_waits_for_a_person():
    door = Door(rule())
    assert door.come(newcomer(support_end=date(2026, 11, 22))).reason == "held"
    assert Door(rule()).come(newcomer(support_end=date(2026, 11, 23))).access_token


def test_a_scope_that_the_policy_lacks_cannot_be_approved():
    door = Door(rule(Verdict.HOLD))
    door.come(NEWCOMER)
    with pytest.raises(PolicyError, match="no scope 'everything'; it has guest, member"):
        door.approve("everything")
    assert door.come(NEWCOMER).reason == "held"


@pytest.mark.requirement("R-02")
def test_an_approval_that_names_no_scope_where_no_rule_does_is_not_recorded_as_an_admission():
    door = Door(profile=ProfileName.HOME)
    door.come(NEWCOMER)
    with pytest.raises(PolicyError, match="name one"):
        door.approve("")
    assert door.come(NEWCOMER).reason == "held"
    assert {one.cause for one in door.entries(Kind.AUTHORIZATION)} == {"hold"}


@pytest.mark.parametrize(("scope", "granted"), [("", "member"), ("guest", "guest")])
def test_an_approval_lets_the_next_attempt_pass(scope, granted):
    door = Door(rule(Verdict.HOLD))
    door.come(NEWCOMER)
    (thing,) = door.things
    door.approve(scope)
    assert door.come(NEWCOMER).access_token
    held = door.access.scope_of(thing.id)
    assert held is not None
    assert held == SCOPES[granted].widen(Scope({"/grant": 1, "/revoke/trl": 1, "/token": 2, "/introspect": 2}))
    assert door.entries(Kind.AUTHORIZATION)[-1].details["rule"] == "lamps, approved by owner"


@pytest.mark.parametrize("plane", [PlaneName.IDENTITY, PlaneName.ACCESS])
def test_nothing_is_handed_out_while_a_plane_that_it_is_of_has_not_admitted(plane):
    door = Door(rule())
    fake = FakePlane(plane, door.clock)
    fake.fail = lambda _demand: StorageError("no space left")
    door.conductor._planes[plane] = fake
    refused = door.come(NEWCOMER)
    assert type(refused) is StateError
    assert f"the {plane} plane could not admit" in str(refused)


def test_a_full_disk_refuses_and_the_next_attempt_is_as_good_as_new():
    door = Door(rule())
    door.store.is_full = True
    assert type(door.come(NEWCOMER)) is StorageError
    assert (door.things, door.places) == ([], [])
    door.store.is_full = False
    assert door.come(NEWCOMER).access_token


@pytest.mark.requirement("R-04")
def test_two_joins_of_one_thing_at_once_make_one_thing():
    door = Door(rule())
    door.come(NEWCOMER, newcomer(number=2))
    assert len(door.things) == 1
    assert door.come(newcomer(number=3)).access_token


def test_who_is_welcome_gets_its_tokens_and_its_key_is_noted():
    door = Door(rule())
    grant = door.come(NEWCOMER)
    (thing,) = door.things
    assert (thing.state, thing.zone, thing.joined_at) == (S.OPERATIONAL, "floor-1", AT)
    assert [(row.thumbprint, row.role, row.until) for row in thing.keys] == [
        (cose_key.thumbprint(THING_KEY.public), "maker", None)
    ]
    assert (grant.access_token, grant.granted_token) == door.access.tokens_of(thing.id)
    assert (grant.thing_credential, grant.issuer_credential) == (door.identity.credential_of(thing.id), b"issuer")
    assert (door.live.live, door.places) == ({thing.id}, [(thing.id, "192.0.2.1")])


@pytest.mark.requirement("R-04")
@pytest.mark.parametrize("state", [S.INSTALLED, S.BOOTSTRAPPING, S.OPERATIONAL, S.MAINTENANCE, S.RE_BOOTSTRAPPING])
def test_a_lost_or_repeated_join_begins_anew(state):
    door = Door(rule(), store=known(state))
    assert door.come(NEWCOMER).access_token
    assert door.things[0].state is S.OPERATIONAL
    assert door.entries(Kind.TRANSITION)[-1].cause == Cause.JOINED


@pytest.mark.requirement("R-11")
@pytest.mark.requirement("R-78")
def test_whose_releases_count_by_its_papers_is_noted_when_it_comes_and_not_when_it_comes_again():
    door = Door(rule())
    door.ownership.menders["A0001"] = (b"a" * 32, b"b" * 32)
    door.come(newcomer())
    assert door.things[0].release_keys == {b"a" * 32, b"b" * 32}
    assert door.things[0].key("maker", AT) is not None
    door.ownership.menders["A0001"] = (b"c" * 32,)
    door.come(newcomer(number=2))
    assert door.things[0].release_keys == {b"a" * 32, b"b" * 32}, "its owner may have adopted it since"


def test_the_same_key_is_noted_once():
    door = Door(rule())
    for number in (1, 2):
        door.come(newcomer(THING_KEY, number=number))
    assert len(door.things[0].keys) == 1


@pytest.mark.requirement("R-08")
@pytest.mark.requirement("R-28")
def test_a_known_thing_with_another_key_waits_for_a_person_and_the_one_with_the_old_key_stays_in():
    door = Door(rule())
    door.come(NEWCOMER)
    before = door.things[0]
    held = door.come(newcomer(OTHER_KEY, number=2))
    assert (type(held), held.reason) == (PolicyError, "held")
    assert door.entries(Kind.AUTHORIZATION)[-1].details["rule"] == "lamps, but its key is not the one that it had"
    assert door.things == [before]
    assert door.live.live == {before.id}


@pytest.mark.requirement("R-08")
def test_a_thing_with_another_key_that_was_approved_begins_anew_and_the_old_key_counts_no_more():
    door = Door(rule())
    door.come(NEWCOMER)
    door.come(newcomer(OTHER_KEY, number=2))
    door.approve()
    assert door.come(newcomer(OTHER_KEY, number=3)).access_token
    causes = [one.cause for one in door.entries(Kind.TRANSITION)]
    assert causes[-2:] == [Cause.RE_BOOTSTRAP_REQUIRED, Cause.JOINED]
    old, new = door.things[0].keys
    assert (old.until, new.until) == (door.clock.utc(), None)
    assert new.thumbprint == cose_key.thumbprint(OTHER_KEY.public)
    assert door.come(newcomer(THING_KEY, number=4)).reason == "held"


def test_of_two_that_come_together_one_more_than_the_rule_counts_waits():
    door = Door(rule(count=1))
    first, second = door.come(newcomer(serial="A0001"), newcomer(OTHER_KEY, serial="A0002", number=2))
    assert first.access_token
    assert (second.reason, len(door.live.live)) == ("held", 1)
    assert door.entries(Kind.AUTHORIZATION)[-1].details["rule"] == "lamps, but its 1 are in"


def test_a_thing_does_not_count_itself_when_it_comes_again_nor_those_who_are_gone():
    door = Door(rule(count=1), store=known(S.DECOMMISSIONED))
    for number in (1, 2):
        assert door.come(newcomer(OTHER_KEY, serial="A0002", number=number)).access_token


def test_an_explanation_is_the_decision_and_changes_nothing():
    door = Door(rule(Verdict.REFUSE, models=("MX-*",)), rule(count=1))
    assert door.come(NEWCOMER).access_token
    entries = len(list(door.store.leaves()))
    told = door.admission.explain(IdentityFacts("acme", "LX-2", "A0002", b"", ""), at=AT)
    assert (told.decision.verdict, len(told.passed)) == (Verdict.HOLD, 1)
    again = door.admission.explain(IdentityFacts("acme", "LX-1", "A0001", b"", ""), at=AT)
    assert again.decision.verdict is Verdict.ADMIT
    assert len(list(door.store.leaves())) == entries


@pytest.mark.requirement("R-28")
def test_an_approval_is_for_the_key_that_was_there_to_compare_and_for_no_other():
    door = Door(rule(Verdict.HOLD))
    door.come(NEWCOMER)
    door.approve()
    assert door.come(newcomer(OTHER_KEY, number=2)).reason == "held"
    assert door.come(NEWCOMER).reason == "held"
    assert door.live.live == set()


@pytest.mark.requirement("R-28")
def test_a_key_that_is_not_the_one_on_the_thing_is_not_approved():
    door = Door(rule(Verdict.HOLD))
    door.come(NEWCOMER)
    with pytest.raises(UntrustedError, match="proved another key"):
        door.approve(key=cose_key.thumbprint(OTHER_KEY.public).hex())
    assert door.come(NEWCOMER).reason == "held"
    door.approve(key=cose_key.thumbprint(THING_KEY.public).hex()[:16].upper())
    assert door.come(NEWCOMER).access_token
    (said,) = door.entries(Kind.APPROVAL)
    assert (said.actor, said.cause, said.details["compared"]) == ("owner", "approved", True)


def test_an_approval_that_was_taken_back_lets_nobody_in():
    door = Door(rule(Verdict.HOLD))
    door.come(NEWCOMER)
    door.approve()
    asyncio.run(door.admission.undo(door.things[0].id, by="owner"))
    assert door.come(NEWCOMER).reason == "held"
    assert [one.cause for one in door.entries(Kind.APPROVAL)] == ["approved", "undone"]


def test_who_has_not_knocked_is_not_approved():
    door = Door(rule(), store=known(S.INSTALLED))
    with pytest.raises(PolicyError, match="does not wait"):
        door.approve()


def test_who_waits_is_told_until_it_is_in_or_put_out():
    door = Door(rule(Verdict.HOLD))
    door.come(NEWCOMER)
    door.come(newcomer(OTHER_KEY, serial="A0002", number=2))
    assert [thing.serial for thing, _ in door.admission.waiting()] == ["A0001", "A0002"]
    asyncio.run(door.conductor.transition(door.things[1].id, Cause.RETIRED, actor="owner"))
    assert [thing.serial for thing, _ in door.admission.waiting()] == ["A0001"]
    door.approve()
    door.come(NEWCOMER)
    assert door.admission.waiting() == ()


@pytest.mark.parametrize("state", [None, S.OPERATIONAL])
def test_where_too_many_wait_one_more_is_refused_and_a_stranger_is_not_made_known(state):
    door = Door(rule(Verdict.HOLD), store=None if state is None else known(state))
    for number in range(2, 5):
        assert door.come(newcomer(OTHER_KEY, serial=f"A000{number}", number=number)).reason == "held"
    before = len(door.things)
    assert door.come(NEWCOMER).reason == "refused"
    assert len(door.things) == before
    assert door.entries(Kind.AUTHORIZATION)[-1].details["rule"] == "lamps, but too many wait already"
    assert door.come(newcomer(OTHER_KEY, serial="A0002", number=6)).reason == "held"


def test_who_came_in_by_a_person_s_word_renews_by_it_under_its_key_and_after_its_day():
    door = Door(rule(Verdict.HOLD))
    door.come(NEWCOMER)
    door.approve()
    assert door.come(NEWCOMER).access_token
    door.clock.seconds += timedelta(days=30).total_seconds()
    assert door.come(newcomer(number=2)).access_token
    assert door.come(newcomer(OTHER_KEY, number=3)).reason == "held"
    assert len(door.entries(Kind.APPROVAL)) == 1


def test_a_word_that_was_said_before_a_thing_left_does_not_bring_it_back():
    door = Door(rule(Verdict.HOLD))
    door.come(NEWCOMER)
    door.approve()
    door.come(NEWCOMER)
    for cause in (Cause.HANDED_OVER, Cause.INSTALLED):
        asyncio.run(door.conductor.transition(door.things[0].id, cause, actor="owner"))
    assert door.come(newcomer(number=2)).reason == "held"


def test_the_end_of_an_installation_is_not_the_end_of_what_was_installed():
    door = Door(rule(until=AT + timedelta(days=1), count=1))
    assert door.come(NEWCOMER).access_token
    door.clock.seconds += timedelta(days=30).total_seconds()
    assert door.come(newcomer(number=2)).access_token
    assert door.come(newcomer(OTHER_KEY, serial="A0002", number=3)).reason == "refused"
    assert door.come(newcomer(OTHER_KEY, number=4)).reason == "refused"
