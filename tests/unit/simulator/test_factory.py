"""What leaves the line: a thing whose record and voucher hold under the maker's anchor, and nothing else does."""

import stat
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from thingstead.agent.file_home import FileHome
from thingstead.agent.file_slots import FileSlots
from thingstead.agent.ports import Area
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.certificate import Certificate
from thingstead.crypto.key import KeyType, generate
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain import anchor as anchor_file
from thingstead.errors import (
    AuthenticationError,
    ConfigError,
    DecodeError,
    ExpiredError,
    StorageError,
    ThingsteadError,
    UntrustedError,
)
from thingstead.phases.maintain import make_release, sign_release
from thingstead.phases.manufacture import Model
from thingstead.protocols.cwt import ccs
from thingstead.protocols.cwt.credential import authenticate_maker_identity
from thingstead.protocols.mud.signature import AdmissionPolicy, admit
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import release
from thingstead.protocols.profile.birth import BIRTH
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.suit.authentication import authenticate
from thingstead.protocols.voucher import voucher
from thingstead.simulator.factory import FIRMWARE_1_0_0, bear_thing, is_maker, make_maker, open_maker

AT = datetime(2026, 11, 1, tzinfo=UTC)
MODEL = Model("LX-1", 2, "https://aurora.example/lx-1.json", date(2031, 1, 1))
ACCEPT = frozenset({int(AlgorithmId.ESP256)})
DOMAIN = generate(KeyType.P256).public
CREDENTIAL = ccs.encode(DOMAIN, subject="home")


@pytest.fixture
def maker(tmp_path):
    return make_maker(tmp_path / "aurora", name="aurora", domain="aurora.example", at=AT)


@pytest.fixture
def anchor(maker):
    return anchor_file.decode(maker.anchor.read_bytes())


def bear(maker, home, serial="A-1", **changes):
    return bear_thing(home, maker.maker, MODEL, serial, whose=CREDENTIAL, at=AT, **changes)


@pytest.mark.requirement("R-05")
@pytest.mark.spec("RFC 8366 5.3")
def test_record_and_voucher_of_a_born_thing_hold_under_the_makers_anchor(maker, anchor, tmp_path):
    bear(maker, tmp_path / "lamp")
    born = birth_record.decode((tmp_path / "lamp" / "home" / BIRTH).read_bytes())
    identity = authenticate_maker_identity(
        born.maker_identity, anchor.identity_key, maker=anchor.maker, at=AT, accept=ACCEPT
    )
    key = FileKeyStore(tmp_path / "lamp" / "keys").handle(birth_record.IDENTITY_KEY)
    assert identity.public == key.public
    assert (identity.serial, identity.model, identity.mud_url) == ("A-1", "LX-1", MODEL.mud_url)
    valid = voucher.authenticate(born.voucher, anchor.identity_key, serial="A-1", domain_key=DOMAIN, at=AT)
    assert valid.serial == "A-1"
    assert born.release_anchors == anchor.release_keys
    assert born.vendor_id == anchor.vendor_id


@pytest.mark.requirement("R-05")
def test_the_voucher_is_for_one_domain_and_one_thing_and_a_time(maker, anchor, tmp_path):
    born = bear(maker, tmp_path / "lamp", voucher_days=30)
    for serial, domain_key, at, refusal in [
        ("A-1", generate(KeyType.P256).public, AT, UntrustedError),
        ("A-2", DOMAIN, AT, UntrustedError),
        ("A-1", DOMAIN, AT + timedelta(days=31), ExpiredError),
    ]:
        with pytest.raises(refusal):
            voucher.authenticate(born.voucher, anchor.identity_key, serial=serial, domain_key=domain_key, at=at)


def test_another_maker_vouches_for_nothing_of_this_one(maker, tmp_path):
    other = make_maker(tmp_path / "borealis", name="borealis", domain="borealis.example", at=AT)
    born = bear(maker, tmp_path / "lamp")
    wrong = other.maker.anchor.public
    with pytest.raises(AuthenticationError):
        authenticate_maker_identity(born.maker_identity, wrong, maker="aurora", at=AT, accept=ACCEPT)
    with pytest.raises(AuthenticationError):
        voucher.authenticate(born.voucher, wrong, serial="A-1", domain_key=DOMAIN, at=AT)


def test_nothing_of_a_maker_or_a_thing_is_open_to_others(maker, tmp_path):
    bear(maker, tmp_path / "lamp")
    for root in (tmp_path / "aurora", tmp_path / "lamp"):
        for path in [root, *root.rglob("*")]:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_thing_leaves_the_line_with_firmware(maker, tmp_path):
    bear(maker, tmp_path / "lamp")
    assert FileSlots(tmp_path / "lamp" / "slots").read(Area.ACTIVE, release.FIRMWARE, 0, 1000) == FIRMWARE_1_0_0


def test_each_thing_makes_its_own_key(maker, tmp_path):
    for name in ("one", "two"):
        bear(maker, tmp_path / name, serial=name)
    one, two = (FileKeyStore(tmp_path / name / "keys").handle(birth_record.IDENTITY_KEY) for name in ("one", "two"))
    assert one.public != two.public


def test_a_maker_signs_releases_with_a_classical_and_a_post_quantum_key(maker, anchor):
    assert [key.type for key in anchor.release_keys] == [KeyType.P256, KeyType.ML_DSA_44]
    assert anchor.release_keys == tuple(key.public for key in maker.maker.release_keys)


@pytest.mark.slow
@pytest.mark.spec("RFC 8778 6.1")
def test_a_maker_may_sign_releases_with_hashes_too(tmp_path):
    second_place = tmp_path / "other-disk"
    second_place.mkdir()
    made = make_maker(tmp_path / "m", name="m", domain="m.example", at=AT, second_place=second_place)
    again = open_maker(made.root).maker
    anchor = anchor_file.decode(made.anchor.read_bytes())
    assert [key.type for key in anchor.release_keys][2:] == [KeyType.HSS_LMS]
    assert tuple(key.public for key in again.release_keys) == anchor.release_keys

    unsigned = make_release(b"image", vendor_id=bytes(16), class_id=bytes(16), sequence_number=2, version="1.1.0")
    signed = sign_release(unsigned, made.maker.release_keys)
    keys, policy = release.authentication(anchor.release_keys)
    assert len(authenticate(signed, keys, policy).signers) == 3
    for left_out in range(3):
        blocks = signed.blocks[:left_out] + signed.blocks[left_out + 1 :]
        with pytest.raises(UntrustedError):
            authenticate(replace(signed, blocks=blocks), keys, policy)


def test_a_maker_without_a_second_place_for_its_count_is_not_made(tmp_path):
    with pytest.raises(ConfigError, match="expected a second place"):
        make_maker(tmp_path / "m", name="m", domain="m.example", at=AT, second_place=tmp_path / "absent")
    assert not is_maker(tmp_path / "m")


def test_a_maker_opens_as_it_was_made(maker):
    again = open_maker(maker.root)
    assert again.maker.name == "aurora"
    assert again.maker.anchor.public == maker.maker.anchor.public
    assert again.maker.vendor_id == maker.maker.vendor_id


@pytest.mark.spec("RFC 8520 13.2")
def test_the_mud_signer_chains_to_the_authority_in_the_anchor(maker, anchor):
    document = b'{"ietf-mud:mud": {}}'
    signature = open_maker(maker.root).mud_signer().sign_detached(document)
    policy = AdmissionPolicy("aurora", anchors=tuple(Certificate(der) for der in anchor.mud_authorities))
    with pytest.raises(DecodeError, match="expected a member"):
        admit(document, signature, policy=policy, at=AT)
    with pytest.raises(AuthenticationError):
        admit(document + b" ", signature, policy=policy, at=AT)


def test_the_mud_authoritys_key_is_not_kept(maker):
    assert sorted(path.name for path in (maker.root / "mud").iterdir()) == ["authority.pem", "signer.key", "signer.pem"]


@pytest.mark.parametrize("name", ["", "Aurora", "../x", "a" * 33, "-a", "a b"])
def test_a_name_that_is_none_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(ConfigError, match="maker's name"):
        make_maker(tmp_path / "x", name=name, domain="aurora.example", at=AT)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("domain", ["", "aurora", "aurora example.org", "https://aurora.example"])
def test_a_dns_domain_that_is_none_is_refused(tmp_path, domain):
    with pytest.raises(ConfigError, match="DNS domain"):
        make_maker(tmp_path / "x", name="aurora", domain=domain, at=AT)


def test_neither_a_maker_nor_a_thing_is_made_twice(maker, tmp_path):
    with pytest.raises(ConfigError, match="already"):
        make_maker(maker.root, name="aurora", domain="aurora.example", at=AT)
    bear(maker, tmp_path / "lamp")
    before = (tmp_path / "lamp" / "home" / BIRTH).read_bytes()
    with pytest.raises(ConfigError, match="lives in"):
        bear(maker, tmp_path / "lamp", serial="A-2")
    assert (tmp_path / "lamp" / "home" / BIRTH).read_bytes() == before


def test_an_interrupted_birth_goes_on_with_the_same_key(maker, tmp_path):
    bear(maker, tmp_path / "lamp")
    key = FileKeyStore(tmp_path / "lamp" / "keys").handle(birth_record.IDENTITY_KEY).public
    FileHome(tmp_path / "lamp" / "home").delete(BIRTH)
    bear(maker, tmp_path / "lamp")
    assert FileKeyStore(tmp_path / "lamp" / "keys").handle(birth_record.IDENTITY_KEY).public == key


@pytest.mark.parametrize("credential", [b"", b"\xa0", b"no credential", ccs.encode(DOMAIN)[:-1]])
def test_what_is_no_domains_credential_bears_nothing(maker, tmp_path, credential):
    with pytest.raises(ThingsteadError):
        bear_thing(tmp_path / "lamp", maker.maker, MODEL, "A-1", whose=credential, at=AT)
    assert not (tmp_path / "lamp").exists()


def test_a_model_that_verifiers_would_refuse_is_not_born(maker, tmp_path):
    with pytest.raises(DecodeError):
        bear_thing(
            tmp_path / "lamp",
            maker.maker,
            replace(MODEL, name="x" * 33),
            "A-1",
            whose=CREDENTIAL,
            at=AT,
        )
    assert FileHome(tmp_path / "lamp" / "home").load(BIRTH) is None


@pytest.mark.parametrize("content", [b"name = 1\n", b"\xff", b"name = \n", b""])
def test_a_damaged_maker_is_said(maker, content):
    (maker.root / "maker.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"maker\.toml"):
        open_maker(maker.root)


def test_a_maker_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigError, match="no maker at"):
        open_maker(tmp_path)


def test_a_maker_whose_keys_others_can_read_is_not_opened(maker):
    (maker.root / "keys" / "anchor").chmod(0o644)
    with pytest.raises(StorageError, match="owner's alone"):
        open_maker(maker.root)


def test_a_maker_without_its_mud_signer_is_said(maker):
    (maker.root / "mud" / "signer.key").unlink()
    with pytest.raises(StorageError, match=r"signer\.key"):
        open_maker(maker.root).mud_signer()


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({}, "2 of 2 P256/ML_DSA_44"),
        ({"kinds": ("p256", "p256", "ed25519"), "threshold": 2}, "2 of 3 P256/ED25519"),
        ({"kinds": ("p256", "p256", "ml-dsa-65"), "is_hybrid": True}, "1 of 2 classical and 1 of 1 post-quantum"),
    ],
)
def test_a_maker_says_how_many_of_its_keys_are_enough(tmp_path, chosen, said):
    made = make_maker(tmp_path / "m", name="m", domain="m.example", at=AT, **chosen)
    anchor = anchor_file.decode(made.anchor.read_bytes())
    assert str(KeySet(anchor.release_keys, anchor.signing)) == said
    maker = open_maker(made.root)
    assert tuple(key.public for key in maker.maker.release_keys) == anchor.release_keys
    born = bear(maker, tmp_path / "lamp")
    assert (born.release_anchors, born.signing, born.release_step) == (anchor.release_keys, anchor.signing, 0)
    assert born.verifies == MODEL.verifies


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"kinds": ("rsa",)}, "got 'rsa'"),
        ({"kinds": ()}, "at least one"),
        ({"kinds": ("p256", "p256"), "is_hybrid": True}, "two families"),
        ({"threshold": 3}, "1 to 2 of 2"),
        ({"threshold": -1}, "1 to 2 of 2"),
        ({"kinds": ("p256", "ml-dsa-44"), "threshold": 2, "is_hybrid": True}, "1 to 1 of 1"),
    ],
)
def test_a_policy_that_nobody_or_anybody_meets_is_no_makers(tmp_path, chosen, message):
    with pytest.raises(ConfigError, match=message):
        make_maker(tmp_path / "m", name="m", domain="m.example", at=AT, **chosen)
    assert not is_maker(tmp_path / "m")


def test_a_maker_whose_anchor_is_damaged_is_not_opened(maker):
    maker.anchor.write_bytes(b"x")
    with pytest.raises(ConfigError, match="damaged"):
        open_maker(maker.root)
