"""Keying material: whole and of one profile, or refused."""

from typing import Any

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, ThingsteadError, UnsupportedError
from thingstead.protocols.ace.aif import Bounds, Permission, Scope
from thingstead.protocols.ace.groupcomm import GroupKeys, Limits, Peer, group_name, group_rights, security_context
from thingstead.protocols.ace.groupcomm_registry import NUMBERS, KeyLabel, Parameter, Role
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import ccs
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.secret import Secret

pytestmark = pytest.mark.spec("RFC 9594 4.3.1")

KEY = generate(KeyType.P256)
OWN = ccs.encode(KEY.public, kid=b"own")
DOMAIN = ccs.encode(generate(KeyType.P256).public, subject="home")
RIGHT = Scope({"/light": Permission.PUT})


def keys(**changes):
    fields: dict[str, Any] = {
        "name": "lamps",
        "num": 7,
        "gid": b"pref\x00\x00\x00\x07",
        "master_secret": Secret(bytes(range(16))),
        "master_salt": bytes(8),
        "sender_id": b"\x05",
        "gm_credential": DOMAIN,
        "expires_in": 3600,
        "members": (
            Peer(b"\x00", DOMAIN, Role.REQUESTER | Role.RESPONDER, RIGHT),
            Peer(b"\x05", OWN, Role.RESPONDER, Scope({})),
        ),
    }
    return GroupKeys(**(fields | changes))


def changed(key=None, value=None, *, label=None):
    """The encoding with one parameter, or one label of the key, replaced; None removes it."""
    fields = codec.decode(keys().encode())
    place, name = (fields, key) if label is None else (fields[Parameter.KEY], label)
    if value is None:
        del place[int(name)]
    else:
        place[int(name)] = value
    return codec.encode(fields)


def test_what_is_encoded_is_read_back():
    assert GroupKeys.decode(keys().encode()) == keys()


def test_the_secret_is_not_shown():
    assert bytes(range(16)).hex() not in repr(keys())
    assert "<Secret of 16 bytes>" in repr(keys())


def test_unknown_parameters_are_left_alone():
    fields = codec.decode(keys().encode()) | {-70000: "ours", 16: {1: 3600}}
    assert GroupKeys.decode(codec.encode(fields)) == keys()


@pytest.mark.parametrize("parameter", [*(p for p in codec.decode(keys().encode()))])
def test_every_parameter_is_needed(parameter):
    with pytest.raises((DecodeError, UnsupportedError)):
        GroupKeys.decode(changed(parameter))


@pytest.mark.parametrize("label", list(KeyLabel))
def test_every_label_of_the_key_is_needed(label):
    with pytest.raises((DecodeError, UnsupportedError)):
        GroupKeys.decode(changed(label=label))


@pytest.mark.parametrize(
    ("label", "value"),
    [
        (KeyLabel.HKDF, 7),
        (KeyLabel.CRED_FMT, 33),
        (KeyLabel.GP_ENC_ALG, -65534),
        (KeyLabel.SIGN_ALG, -8),
        (KeyLabel.SIGN_PARAMS, [[1], [1, 6]]),
    ],
)
@pytest.mark.spec("RFC 10021 2.1")
def test_another_algorithm_than_the_profile_s_is_refused(label, value):
    with pytest.raises(UnsupportedError):
        GroupKeys.decode(changed(label=label, value=value))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (Parameter.GKTY, 2),
        (Parameter.ACE_GROUPCOMM_PROFILE, 9),
        (Parameter.GNAME, ["lamps", "doors"]),
        (Parameter.GNAME, ["../lamps"]),
        (Parameter.NUM, -1),
        (Parameter.NUM, True),
        (Parameter.EXI, 1.5),
        (Parameter.KEY, b""),
        (Parameter.CREDS, [DOMAIN]),
        (Parameter.CREDS, [DOMAIN, DOMAIN]),
        (Parameter.CREDS, [DOMAIN, bytes(2000)]),
        (Parameter.PEER_IDENTIFIERS, [b"\x05", b"\x05"]),
        (Parameter.PEER_IDENTIFIERS, {}),
        (Parameter.PEER_ROLES, [6, 8]),
        (Parameter.PEER_ROLES, [6, 0]),
        (Parameter.PEER_ROLES, [6, True]),
        (Parameter.PEER_SCOPES, [b"\x80", b"\xff"]),
        (Parameter.KDC_CRED, bytes(2000)),
    ],
)
def test_a_parameter_of_another_kind_is_refused(parameter, value):
    with pytest.raises((DecodeError, UnsupportedError)):
        GroupKeys.decode(changed(parameter, value))


def test_more_members_than_may_be_are_refused():
    with pytest.raises(DecodeError):
        GroupKeys.decode(keys().encode(), limits=Limits(max_members=1))


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x80", b"\xa1", bytes(100)])
def test_what_is_no_map_is_refused(data):
    with pytest.raises(ThingsteadError):
        GroupKeys.decode(data)


def test_a_receiver_that_is_not_among_the_members_has_no_context():
    with pytest.raises(DecodeError):
        security_context(keys(sender_id=b"\x09"), KEY, sequence=SequenceNumbers(), fresh=True)


@pytest.mark.requirement("R-65")
def test_keys_for_another_s_credential_make_no_context():
    with pytest.raises(DecodeError, match="our own credential"):
        security_context(keys(sender_id=b"\x00"), KEY, sequence=SequenceNumbers(), fresh=True)


@pytest.mark.spec("RFC 8613 B.1.2")
@pytest.mark.parametrize("fresh", [True, False])
def test_only_keys_that_are_new_come_with_windows_that_are_valid(fresh):
    context = security_context(keys(), KEY, sequence=SequenceNumbers(), fresh=fresh)
    assert [(kid, member.window.is_valid) for kid, member in context.members.items()] == [(b"\x00", fresh)]
    assert context.members[b"\x00"].credential.original == DOMAIN


@pytest.mark.spec("RFC 9237 2")
def test_rights_in_a_group_lie_beneath_its_path():
    scope = Scope(
        {
            "/ace-group/lamps": Permission.POST | Permission.GET,
            "/ace-group/lamps/light": Permission.PUT,
            "/ace-group/lamps-2/light": Permission.PUT,
            "/ace-group/doors": Permission.GET,
            "/ace-group/bells/ring": Permission.POST,
            "/senml": Permission.POST,
        }
    )
    assert group_rights(scope) == {"lamps": RIGHT}


@pytest.mark.requirement("R-16")
@pytest.mark.spec("RFC 9237 2")
def test_what_bounds_a_right_bounds_it_in_the_group_too():
    grants = {"/ace-group/lamps": Permission.POST, "/ace-group/lamps/light/level": Permission.PUT}
    scope = Scope(grants, {"/ace-group/lamps/light/level": Bounds(10, 60, 6)})
    assert group_rights(scope)["lamps"] == Scope({"/light/level": 4}, {"/light/level": Bounds(10, 60, 6)})


@pytest.mark.parametrize("name", ["lamps", "A-1_b", "x" * 32])
def test_a_name_is_of_a_file_s_characters(name):
    assert group_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "-a", "a.b", "a/b", "a\n", "x" * 33, "ä"])
def test_a_name_that_could_leave_its_place_is_refused(name):
    with pytest.raises(DecodeError):
        group_name(name)


def test_every_number_names_its_source():
    assert all(row.source and row.name for row in NUMBERS)
    assert {row.source for row in NUMBERS if row.value < -65536} == {"private use (RFC 9594 §11.6)"}


def test_credentials_of_the_epoch_before_are_taken_over_and_keys_are_not():
    def context(num, before=None):
        epoch = keys(num=num, gid=b"pref\x00\x00\x00" + bytes([num]), master_secret=Secret(bytes([num]) * 16))
        return security_context(epoch, KEY, sequence=SequenceNumbers(), fresh=True, before=before)

    first = context(1)
    second = context(2, first)
    assert second.members[b"\x00"].credential is first.members[b"\x00"].credential
    assert second.members[b"\x00"] is not first.members[b"\x00"]
