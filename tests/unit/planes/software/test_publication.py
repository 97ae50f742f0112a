"""A release is offered, held whole for a second person, or refused with its place; nobody approves their own."""

import asyncio
import json
from dataclasses import replace

import pytest

from tests.unit.planes.software.desk import IMAGE, LAMP, Desk, made
from tests.unit.protocols.suit.releases import CLASSIC, QUANTUM
from thingstead.analysis.image_scan import Finding
from thingstead.analysis.osv import read_record
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.release_policy import Concern, ReleasePolicy, Stance
from thingstead.errors import AuthenticationError, DecodeError, ForbiddenError, HeldError, PolicyError, UntrustedError
from thingstead.planes.software.carried import Bundle, Terms
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile.release_statement import Statement, member, sign_statement
from thingstead.protocols.suit import envelope

SIGNERS = [(profile.signer(key.public), key) for key in (CLASSIC, QUANTUM)]
STRICT = Terms("owner")
BEN = Terms("maintainer:ben")
SBOM = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "zlib", "version": "1.2"}]}


def files(desk, *hosts, **changes):
    services = tuple(Service(Remote(RemoteKind.DNS_NAME, host), 6, 443) for host in hosts)
    mud = render(Description("https://mud.example/l.json", desk.clock.utc(), "lamp", "Example", "LX-1", services))
    bom = json.dumps(SBOM).encode()
    return {"sbom.cdx.json": bom, "mud.json": mud, "words.json": b'{"en": "Mends a leak."}', **changes}


def bundle(encoded, members, *, about=None):
    stated = {name: member(name, data) for name, data in (about or members).items()}
    statement = sign_statement(Statement(envelope.decode(encoded).digest, stated), SIGNERS)
    return Bundle(members, statement)


class Shop(Desk):
    """A desk over which whole releases go."""

    def bring(self, *hosts, version="1.1.0", number=2, terms=STRICT, **changes):
        self.encoded = made(version, number)
        members = {name: data for name, data in files(self, *hosts, **changes).items() if data is not None}
        self.bundle = bundle(self.encoded, members)
        return asyncio.run(self.tracker.publish(self.encoded, IMAGE, terms=terms, bundle=self.bundle))

    def approve(self, terms=BEN, manifest=None, reasons=None):
        manifest = envelope.decode(self.encoded).digest.value.hex()[:16] if manifest is None else manifest
        shown = next((one.reasons for one in self.tracker.held() if one.manifest.startswith(manifest)), "")
        terms = replace(terms, reasons=shown if reasons is None else reasons)
        return asyncio.run(self.tracker.approve(manifest, terms=terms))

    def discard(self, actor="maintainer:ben"):
        manifest = envelope.decode(self.encoded).digest.value.hex()
        return asyncio.run(self.tracker.discard(manifest, actor=actor))


@pytest.fixture
def shop():
    shop = Shop()
    shop.admit()
    return shop


def causes(shop, kind=Kind.RELEASE):
    return [(one.cause, one.actor) for one in shop.entries(kind)]


def test_a_release_that_says_all_is_offered_and_what_it_brings_is_kept(shop):
    assert shop.bring().version == "1.1.0"
    digest = envelope.decode(shop.encoded).digest.value
    for tracker in (shop.tracker, shop.restart()):
        kept = tracker.carried(digest.hex()[:16])
        assert kept is not None
        assert kept.files == shop.bundle.files
        assert kept.side(at=shop.clock.utc()).consequences.say("en") == "Mends a leak."


@pytest.mark.requirement("R-18")
def test_without_an_sbom_nothing_is_offered(shop):
    with pytest.raises(PolicyError, match=r"sbom\.cdx\.json: ") as refusal:
        asyncio.run(shop.tracker.publish(made(), IMAGE, terms=STRICT))
    assert refusal.value.reason == "sbom-missing"
    with pytest.raises(PolicyError):
        shop.bring(**{"sbom.cdx.json": None})
    assert shop.tracker.poll(LAMP.id) is None
    assert causes(shop, Kind.REFUSAL) == [("sbom-missing", "owner")] * 2


def test_growth_waits_for_a_second_person_with_the_next_command(shop):
    with pytest.raises(HeldError, match=r"it may contact b\.example.*thingstead publication approve [0-9a-f]{16}"):
        shop.bring("b.example")
    assert shop.tracker.poll(LAMP.id) is None
    (held,) = shop.tracker.held()
    assert (held.model, held.version, held.by) == ("LX-1", "1.1.0", "owner")
    assert held.because == ("mud.json: it may contact b.example, by TCP on port 443 (web)",)
    assert causes(shop) == [("held", "owner")]
    assert causes(shop, Kind.REFUSAL) == []


def test_a_second_person_lets_it_through_also_after_a_restart(shop):
    with pytest.raises(HeldError):
        shop.bring("b.example")
    shop.restart()
    shop.admit()
    assert shop.approve().version == "1.1.0"
    offer = shop.tracker.poll(LAMP.id)
    assert offer is not None
    assert offer.encoded == shop.encoded
    assert shop.tracker.held() == ()
    assert causes(shop) == [("held", "owner"), ("approved", "maintainer:ben")]
    shop.restart()
    assert shop.tracker.held() == ()


def test_nobody_approves_what_they_brought(shop):
    with pytest.raises(HeldError):
        shop.bring("b.example")
    with pytest.raises(ForbiddenError, match="somebody else") as refusal:
        shop.approve(STRICT)
    assert refusal.value.reason == "same"
    assert shop.tracker.poll(LAMP.id) is None
    assert len(shop.tracker.held()) == 1


def test_bringing_it_again_does_not_make_it_somebody_elses(shop):
    with pytest.raises(HeldError):
        shop.bring("b.example")
    with pytest.raises(HeldError):
        shop.bring("b.example", terms=BEN)
    with pytest.raises(ForbiddenError):
        shop.approve(STRICT)


def test_nobody_exchanges_what_goes_with_a_release_that_waits_to_approve_it_themselves(shop):
    with pytest.raises(HeldError):
        shop.bring("b.example")
    with pytest.raises(PolicyError, match="withdraw that first") as refusal:
        shop.bring("b.example", "evil.example", terms=BEN)
    assert refusal.value.reason == "held"
    (held,) = shop.tracker.held()
    assert held.because == ("mud.json: it may contact b.example, by TCP on port 443 (web)",)


def test_what_has_come_up_meanwhile_holds_it_again_or_refuses_it(shop):
    with pytest.raises(HeldError):
        shop.bring("b.example")
    package = {"name": "zlib", "ecosystem": "OSS-Fuzz"}
    shop.tracker.publication.feed.add(
        read_record({"id": "X-1", "affected": [{"package": package, "versions": ["1.2"]}]})
    )
    with pytest.raises(HeldError, match="X-1"):
        shop.approve()
    assert len(shop.tracker.held()[0].because) == 2
    shop.findings = [Finding("wifi_key", 7, "Wi-Fi key")]
    with pytest.raises(PolicyError, match="offset 7"):
        shop.approve()
    assert shop.tracker.poll(LAMP.id) is None


def test_what_waits_is_taken_back_and_nobody_had_it(shop):
    with pytest.raises(HeldError):
        shop.bring("b.example")
    assert shop.discard().version == "1.1.0"
    assert (shop.tracker.held(), causes(shop)[-1]) == ((), ("withdrawn", "maintainer:ben"))
    for step in (shop.approve, shop.discard):
        with pytest.raises(PolicyError):
            step()


def test_what_is_being_approved_is_not_taken_back_in_the_midst_and_offered_all_the_same(shop):
    with pytest.raises(HeldError):
        shop.bring("b.example")
    digest = envelope.decode(shop.encoded).digest.value.hex()

    async def withdraw():
        with pytest.raises(PolicyError, match="0 releases that begin so wait"):
            await shop.tracker.discard(digest, actor="owner")

    async def both():
        async with asyncio.TaskGroup() as tasks:

            async def slow(_release):
                tasks.create_task(withdraw())
                for _ in range(5):
                    await asyncio.sleep(0)

            shop.tracker.checks.append(slow)
            (held,) = shop.tracker.held()
            await shop.tracker.approve(digest, terms=replace(BEN, reasons=held.reasons))

    asyncio.run(both())
    assert shop.tracker.poll(LAMP.id) is not None
    assert causes(shop) == [("held", "owner"), ("approved", "maintainer:ben")]


def test_who_approves_says_what_they_were_shown(shop):
    with pytest.raises(HeldError):
        shop.bring("b.example")
    for reasons in ("", "0" * 16):
        with pytest.raises(ForbiddenError) as refused:
            shop.approve(reasons=reasons)
        assert refused.value.reason == "reasons"
    assert shop.tracker.poll(LAMP.id) is None
    shown = shop.tracker.held()[0].reasons
    shop.approve(reasons=shown)
    assert shop.entries(Kind.RELEASE)[-1].details["reasons"] == shown


def test_what_is_being_taken_back_is_not_approved(shop):
    """Whoever approves reads what waits only when nobody else is at it."""
    with pytest.raises(HeldError):
        shop.bring("b.example")
    (held,) = shop.tracker.held()

    async def withdraw():
        await shop.tracker.discard(held.manifest, actor="owner")

    async def approve():
        with pytest.raises(PolicyError):
            await shop.tracker.approve(held.manifest, terms=replace(BEN, reasons=held.reasons))

    async def both():
        async with asyncio.TaskGroup() as tasks:
            await shop.tracker._publishing.acquire()
            for work in (withdraw, approve):
                tasks.create_task(work())
                await asyncio.sleep(0)
            shop.tracker._publishing.release()

    asyncio.run(both())
    assert shop.tracker.poll(LAMP.id) is None
    assert causes(shop) == [("held", "owner"), ("withdrawn", "owner")]


def test_a_release_is_named_by_how_its_digest_begins(shop):
    with pytest.raises(HeldError):
        shop.bring("b.example")
    for manifest in ("", "zz", "0" * 64):
        with pytest.raises(PolicyError, match="publication list"):
            shop.approve(manifest=manifest)


def test_members_without_a_statement_are_nobodys_word(shop):
    encoded = made()
    with pytest.raises(UntrustedError) as refusal:
        asyncio.run(shop.tracker.publish(encoded, IMAGE, terms=STRICT, bundle=Bundle(files(shop))))
    assert refusal.value.reason == "statement"


def test_another_file_than_was_stated_is_refused(shop):
    encoded, members = made(), files(shop)
    other = bundle(encoded, {**members, "mud.json": b"{}"}, about=members)
    with pytest.raises(AuthenticationError, match=r"mud\.json"):
        asyncio.run(shop.tracker.publish(encoded, IMAGE, terms=STRICT, bundle=other))
    of_another = bundle(made("1.2.0", 3), members)
    with pytest.raises(AuthenticationError):
        asyncio.run(shop.tracker.publish(encoded, IMAGE, terms=STRICT, bundle=of_another))


def test_a_member_outside_its_format_is_refused_by_name(shop):
    with pytest.raises(DecodeError, match=r"words\.json"):
        shop.bring(**{"words.json": b"[]"})


def test_destinations_grow_from_one_release_to_the_next(shop):
    allow = replace(STRICT, policy=ReleasePolicy({Concern.NETWORK_GROWS: Stance.ALLOW}))
    shop.bring("a.example", terms=allow)
    shop.bring("a.example", version="1.2.0", number=3)
    with pytest.raises(HeldError, match=r"c\.example"):
        shop.bring("a.example", "c.example", version="1.3.0", number=4)


def test_what_things_may_do_already_does_not_grow(shop):
    known = replace(STRICT, allowed={"LX-1": files(shop, "a.example")["mud.json"]})
    assert shop.bring("a.example", terms=known).version == "1.1.0"


def test_so_many_releases_wait_and_no_more(shop):
    for number in range(16):
        with pytest.raises(HeldError):
            shop.bring("b.example", version=f"1.{number}", number=number + 2)
    with pytest.raises(PolicyError, match="16 releases wait already"):
        shop.bring("b.example", version="9", number=99)


def test_a_payload_of_the_folder_is_not_kept_twice(shop):
    shop.bring(**{"image.bin": IMAGE, "release.toml": b"sequence = 2", "patch.bin": b"patch"})
    kept = shop.tracker.publication.carried(envelope.decode(shop.encoded).digest.value)
    assert kept is not None
    assert kept.files.keys() == {"sbom.cdx.json", "mud.json", "words.json"}


def test_a_backup_brings_back_what_is_not_here(shop):
    shop.bring()
    digest = envelope.decode(shop.encoded).digest.value
    with pytest.raises(HeldError):
        shop.bring("b.example", version="1.2.0", number=3)
    saved = shop.tracker.snapshot()
    other = Shop()
    asyncio.run(other.tracker.restore(saved))
    assert other.tracker.publication.carried(digest) == shop.tracker.publication.carried(digest)
    assert other.tracker.held() == shop.tracker.held()
    asyncio.run(other.tracker.restore(saved))
    assert len(other.restart().held()) == 1


@pytest.mark.requirement("R-75")
def test_a_release_that_things_could_not_verify_is_not_offered(shop):
    allow = ReleasePolicy({Concern.NETWORK_GROWS: Stance.ALLOW})
    shop.bring(terms=replace(STRICT, policy=allow))
    shop.tracker.publication._carried[envelope.decode(shop.encoded).digest.value] = replace(
        shop.tracker.publication.carried(envelope.decode(shop.encoded).digest.value), algorithms=(-19,)
    )
    with pytest.raises(PolicyError, match=r"RFC 8576 §5\.4, question 1") as refusal:
        shop.bring(version="1.2.0", number=3)
    assert refusal.value.reason == "algorithms-unsafe"
    assert shop.tracker.poll(LAMP.id).version == "1.1.0"
