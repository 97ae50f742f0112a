import json

import pytest

from tests.unit.protocols.mud.fixture import ACE, FILE, URL, bent, with_ace
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.mud.file import Direction, PortRange, RemoteKind
from thingstead.protocols.mud.parser import Limits, parse

MUD = "/ietf-mud:mud"
LISTS = "/ietf-access-control-list:acls/acl"


@pytest.mark.spec("RFC 8520 3")
def test_a_file_says_who_may_talk_to_whom():
    file = parse(bent())
    assert (file.url, file.cache_validity, file.is_supported, file.findings) == (URL, 48, True, ())
    (entry,) = file.entries
    assert (entry.direction, entry.family, entry.protocol) == (Direction.FROM_DEVICE, 4, 6)
    assert (entry.remote.kind, entry.remote.name) == (RemoteKind.DNS_NAME, "cloud.maker.example")
    assert (entry.remote_ports, entry.initiated) == (PortRange(443, 443), Direction.FROM_DEVICE)


@pytest.mark.spec("RFC 8259 2")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[" * 100_000, "JSON|levels"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "levels of nesting"),
        (b'{"a": 1, "a": 2}', "'a' comes twice"),
        (b'{"a": NaN}', "no JSON number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "JSON"),
        (b" " * (1 << 18) + b"{}", "at most 262144 bytes"),
        (b"[]", "/: expected an object"),
    ],
)
def test_what_is_not_bounded_json_is_refused(data, message):
    with pytest.raises(DecodeError, match=message):
        parse(data)


@pytest.mark.spec("RFC 8520 3")
@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{MUD}/mud-url", "http://maker.example/lamp", "a URL of scheme https"),
        (f"{MUD}/mud-url", 7, "printable string"),
        (f"{MUD}/mud-url", "https://a\n", "printable string"),
        (f"{MUD}/cache-validity", 0, "from 1 to 168"),
        (f"{MUD}/cache-validity", 169, "from 1 to 168"),
        (f"{MUD}/cache-validity", True, "from 1 to 168"),
        (f"{MUD}/is-supported", "yes", "true or false"),
        (f"{MUD}/last-update", "yesterday", "a date and time"),
        (f"{MUD}/last-update", "0001-01-01T00:00:00+10:00", "exists in UTC"),
        (f"{MUD}/from-device-policy/access-lists/access-list/0/name", "nobody", "the name of an access list"),
        (f"{MUD}/to-device-policy/access-lists/access-list/0/name", "from", "one direction only"),
        (f"{LISTS}/1/name", "from", "no other list has"),
        (f"{LISTS}/0/type", "mpls-acl-type", "of type ipv4, ipv6 or eth"),
        (f"{LISTS}/0/aces", [], "expected an object"),
        (f"{LISTS}/0/aces/ace/0/actions/forwarding", "ACCEPT", "accept, drop or reject"),
    ],
)
def test_a_value_outside_its_type_is_refused_with_its_place(path, value, message):
    with pytest.raises(DecodeError, match=message) as caught:
        parse(bent(path, value))
    assert str(caught.value).startswith("/ietf-")


@pytest.mark.spec("RFC 8520 3")
@pytest.mark.parametrize(
    "path",
    [
        f"{MUD}/mud-version",
        f"{MUD}/mud-url",
        f"{MUD}/last-update",
        f"{MUD}/is-supported",
        MUD,
        "/ietf-access-control-list:acls",
        f"{LISTS}/0/name",
        f"{LISTS}/0/type",
        f"{LISTS}/0/aces",
        f"{LISTS}/0/aces/ace/0/name",
        f"{LISTS}/0/aces/ace/0/matches",
        f"{LISTS}/0/aces/ace/0/actions",
        f"{LISTS}/0/aces/ace/0/actions/forwarding",
    ],
)
def test_what_must_be_there_is_named_when_it_is_missing(path):
    name = path.split("/")[-1].replace("0", "")
    with pytest.raises(DecodeError, match=f"'{name}', which is missing|the name of an access list"):
        parse(bent(path, drop=True))


@pytest.mark.spec("RFC 8520 3.1")
def test_another_version_is_not_guessed_at():
    with pytest.raises(UnsupportedError, match="expected version 1, got 2"):
        parse(bent(f"{MUD}/mud-version", 2))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{MUD}/last-update", "2026-01-02T03:04:05", "without a time zone"),
        (f"{MUD}/systeminfo", "x" * 61, "61 characters where 60"),
        (f"{MUD}/vendor:colour", 1, "not announced"),
        (f"{LISTS}/0/aces/ace", [ACE, ACE], "a second ACE named 'cloud'"),
        (f"{LISTS}/2", None, ""),
    ],
    ids=["zone", "systeminfo", "extension", "ace", "list"],
)
def test_a_quirk_that_changes_no_right_is_a_finding(path, value, message):
    if path.endswith("/2"):
        document = json.loads(bent())
        document["ietf-access-control-list:acls"]["acl"].append({"name": "x", "type": "ipv4-acl-type", "aces": {}})
        data, message = json.dumps(document).encode(), "no policy refers to this list"
    else:
        data = bent(path, value)
    (finding,) = parse(data).findings
    assert message in finding.message
    assert finding.place.startswith("/ietf-")
    assert not finding.narrows


def test_an_announced_extension_is_told_apart():
    document = json.loads(bent(f"{MUD}/vendor:colour", 1))
    document["ietf-mud:mud"]["extensions"] = ["vendor"]
    (finding,) = parse(json.dumps(document).encode()).findings
    assert "an extension we do not have" in finding.message


@pytest.mark.spec("RFC 8519 4.1")
def test_the_container_of_the_years_before_the_rfc_is_read_with_a_finding():
    document = {**FILE, "ietf-access-control-list:access-lists": FILE["ietf-access-control-list:acls"]}
    with pytest.raises(DecodeError, match="one container"):
        parse(json.dumps(document).encode())
    del document["ietf-access-control-list:acls"]
    file = parse(json.dumps(document).encode())
    assert len(file.entries) == 1
    assert ["before RFC 8519" in finding.message for finding in file.findings] == [True]


@pytest.mark.spec("RFC 8519 4.1")
@pytest.mark.parametrize("member", ["acl-name", "acl-type", "access-list-entries"])
def test_a_list_of_a_draft_is_refused_for_being_one(member):
    with pytest.raises(UnsupportedError, match=f"{LISTS}/1/{member}: expected an access list of RFC 8519"):
        parse(bent(f"{LISTS}/1/{member}", "x"))


@pytest.mark.spec("RFC 9761 5.4")
@pytest.mark.parametrize(("value", "expected", "quirks"), [(True, True, 0), (False, False, 0), ("true", True, 1)])
def test_whether_a_file_describes_handshakes_is_read(value, expected, quirks):
    file = parse(bent(f"{MUD}/ietf-mud-tls:is-tls-dtls-profile-supported", value))
    assert (file.describes_tls, len(file.findings)) == (expected, quirks)
    with pytest.raises(DecodeError, match="true or false"):
        parse(bent(f"{MUD}/ietf-mud-tls:is-tls-dtls-profile-supported", 1))


@pytest.mark.spec("RFC 8519 4.1")
@pytest.mark.parametrize(
    ("matches", "families"),
    [({"ipv4": {}}, [4]), ({"ipv6": {"protocol": 17}}, [6]), ({"udp": {}}, [4, 6]), ({"icmp": {"type": 1}}, [4, 6])],
)
def test_in_a_list_of_both_ip_versions_an_entry_is_of_the_one_it_names_or_of_both(matches, families):
    file = parse(with_ace(matches, kind="mixed-eth-ipv4-ipv6-acl-type"))
    assert [entry.family for entry in file.entries] == families
    assert {entry.protocol for entry in file.entries} <= {None, 17, 1, 58}
    with pytest.raises(DecodeError, match="conditions of IPv4"):
        parse(with_ace({"ipv4": {}, "ipv6": {}}, kind="mixed-eth-ipv4-ipv6-acl-type"))


@pytest.mark.spec("RFC 9761 7")
def test_actions_among_the_matches_are_read_as_the_rfcs_example_has_them():
    def written(action):
        return bent(f"{LISTS}/0/aces/ace", [{"name": "a", "matches": {"udp": {}, "actions": {"forwarding": action}}}])

    file = parse(written("accept"))
    assert (len(file.entries), file.findings[0].spec) == (1, "RFC 9761 §7")
    with pytest.raises(DecodeError, match="/aces/ace/0/matches/actions/forwarding: expected accept"):
        parse(written("ACCEPT"))


def test_entries_and_lists_are_counted_before_they_are_read():
    with pytest.raises(DecodeError, match="at most 0 ACEs"):
        parse(bent(), limits=Limits(max_entries=0))
    with pytest.raises(DecodeError, match="at most 1 access lists"):
        parse(bent(), limits=Limits(max_lists=1))


@pytest.mark.spec("RFC 8520 5")
def test_a_dropping_entry_says_nothing_new_unless_it_comes_first():
    file = parse(with_ace({}, action="drop"))
    assert file.entries == ()
    assert "left out" in file.findings[0].message
    denied = {**ACE, "name": "no", "actions": {"forwarding": "drop"}}
    with pytest.raises(UnsupportedError, match="no entry that drops before one that accepts"):
        parse(bent(f"{LISTS}/0/aces/ace", [denied, ACE]))
