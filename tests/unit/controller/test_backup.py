"""A backup is taken whole, from the domain that it should be of, and from nobody else."""

from dataclasses import replace

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.controller import backup as backup_file
from thingstead.controller.backup import AuthenticBackup, Backup, authenticate, sign
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.ledger import head
from thingstead.domain.ledger.head import TreeHead
from thingstead.domain.plane import PlaneName
from thingstead.errors import AuthenticationError, DecodeError, ThingsteadError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label

KEY = generate(KeyType.P256)
ANCHOR = TrustAnchor("acme", KEY.public, (KEY.public,), bytes(16))
BACKUP = Backup(
    domain="home",
    at=AT,
    settings="",
    policy="profile = 'home'",
    anchors=(ANCHOR,),
    keys={"ledger": bytes(32)},
    things=(a_thing(),),
    planes={name: {"a": b"document"} for name in PlaneName},
    leaves=(b"leaf",),
    operators="auditor user:7 carla",
    delegations=(b"delegation",),
)
FILE = sign(BACKUP, KEY)


def signed(payload, key=KEY, typ=backup_file._TYPE):
    return sign1.sign(codec.encode(payload), key, signature_id=-9, protected={Label.TYP: typ})


def fields():
    return codec.decode(sign1.decode(FILE).payload or b"")


@pytest.mark.parametrize("data", [b"", b"\x00", b"precious", FILE[:-1], FILE + b"\x00", FILE[2:]])
def test_what_is_no_backup_or_half_of_one_is_refused(data):
    with pytest.raises(DecodeError):
        authenticate(data, KEY.public)


@pytest.mark.parametrize("place", [30, len(FILE) // 2, len(FILE) - 1])
def test_one_changed_bit_is_enough(place):
    data = bytearray(FILE)
    data[place] ^= 1
    with pytest.raises(ThingsteadError):
        authenticate(bytes(data), KEY.public)


def test_a_backup_of_another_domain_is_told_from_ours():
    with pytest.raises(AuthenticationError, match="of another domain than these keys"):
        authenticate(FILE, generate(KeyType.P256).public)


def test_what_else_the_ledger_key_signs_is_no_backup():
    with pytest.raises(DecodeError, match="expected a backup"):
        authenticate(head.sign(TreeHead(1, bytes(32), AT, "home"), KEY), KEY.public)
    with pytest.raises(DecodeError, match="expected a backup"):
        authenticate(signed(fields(), typ="application/cbor"), KEY.public)


@pytest.mark.parametrize("payload", [[4], [4, "home"], [99, {}, b""]])
def test_a_newer_format_is_named_as_such(payload):
    with pytest.raises(UnsupportedError, match=f"format {payload[0]}, written by a newer version; we read 3"):
        authenticate(signed(payload), KEY.public)


@pytest.mark.parametrize("payload", [7, [], [1, "home", 0, [], {}], {"format": 3}, [3], ["3", "home"]])
def test_an_older_or_an_unknown_form_is_refused(payload):
    with pytest.raises(DecodeError, match="expected a backup of format 3"):
        authenticate(signed(payload), KEY.public)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (5, ["anchor"]),
        (5, [b"anchor"]),
        (6, {"ledger": "thumbprint"}),
        (6, {1: b"thumbprint"}),
        (7, [b"thing"]),
        (7, [None]),
        (8, {"identity": []}),
        (8, {"identity": {"a": "document"}}),
        (9, ["leaf"]),
        (10, b"auditor user:7"),
        (11, ["delegation"]),
        (11, {}),
    ],
)
def test_a_field_that_is_not_what_it_should_be_is_refused(place, value):
    payload = fields()
    payload[place] = value
    with pytest.raises(DecodeError):
        authenticate(signed(payload), KEY.public)


def test_the_verified_type_is_not_made_by_hand():
    with pytest.raises(TypeError, match="made by"):
        AuthenticBackup(BACKUP, bytes(32), KEY.public, object())


def test_what_was_written_is_read_back():
    read = authenticate(FILE, KEY.public)
    assert (read.backup, read.signer, len(read.digest)) == (BACKUP, KEY.public, 32)
    nothing = authenticate(sign(replace(BACKUP, planes={}), KEY), KEY.public).backup.planes
    assert nothing == {name: {} for name in PlaneName}
