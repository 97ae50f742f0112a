"""What a directory is told: bounded, from where it says, and resolved without a second thought."""

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.link_format.link import Link
from thingstead.protocols.link_format.registration import (
    Lookup,
    Registration,
    absolute,
    address_of,
    base_of,
    read_lookup,
    read_registration,
    resolve,
)

AT = ("192.0.2.1", 5683)
BASE = "coap://192.0.2.1:5683"


@pytest.mark.spec("RFC 9176 5")
def test_a_registration_that_says_its_name_alone_has_the_defaults():
    said = read_registration(["ep=node1"], b'</light>;rt="light"', AT)
    assert said == Registration("node1", "", 90000, BASE, {}, (Link("/light", (("rt", "light"),)),))


@pytest.mark.spec("RFC 9176 5")
def test_a_registration_may_say_all_of_it():
    said = read_registration(["ep=n", "d=floor", "lt=60", "base=coap://192.0.2.1:61616", "et=lamp"], b"", AT)
    assert said == Registration("n", "floor", 60, "coap://192.0.2.1:61616", {"et": "lamp"})


@pytest.mark.spec("RFC 9176 5.3.1")
def test_an_update_says_only_what_changes():
    assert read_registration([], b"", AT) == Registration("", "", 0, "")


@pytest.mark.spec("RFC 9176 5")
@pytest.mark.parametrize(
    "queries",
    [
        ["ep"],
        ["ep=a", "rt=core.rd"],
        ["ep=a", "page=1"],
        ["ep=a", "count=1"],
        ["ep=a", "href=/x"],
        ["ep=a", "anchor=/x"],
        ["ep="],
        ["ep=a", "ep=b"],
        ["ep=" + "x" * 64],
        ["ep=a\n"],
        ['ep=a"b'],
        ["ep=a>b"],
        ["ep=a", "lt=0"],
        ["ep=a", "lt=-1"],
        ["ep=a", "lt=x"],
        ["ep=a", "lt=4294967296"],
        ["ep=a", "base=coap://192.0.2.2"],
        ["ep=a", "base=//192.0.2.1"],
        ["ep=a", "base=coap://192.0.2.1/path"],
        ["ep=a", "base=coap://192.0.2.1@203.0.113.9"],
        ["ep=a", "base=coap://192.0.2.1:5683@203.0.113.9:1"],
        ["ep=a", "a b=c"],
        ["ep=a", *[f"x{number}=y" for number in range(17)]],
        ["ep=a", "et=" + "x" * 256],
    ],
)
def test_what_is_no_registration_is_refused(queries):
    with pytest.raises(DecodeError):
        read_registration(queries, b"", AT)


@pytest.mark.parametrize("payload", [b"<", b"x", b"\xff", b"," * 9000, b",".join([b"</a>"] * 65)])
def test_links_are_bounded_and_well_formed(payload):
    with pytest.raises(DecodeError):
        read_registration(["ep=a"], payload, AT)


@pytest.mark.spec("RFC 9176 6.2")
@pytest.mark.parametrize(
    ("queries", "lookup", "window"),
    [
        ([], Lookup(()), (0, 99)),
        (["rt=light", "obs", "page=2", "count=10"], Lookup((("rt", "light"),), 2, 10), (20, 10)),
        (["count=1000"], Lookup((), 0, 1000), (0, 99)),
    ],
)
def test_a_lookup_has_criteria_and_a_window(queries, lookup, window):
    assert read_lookup(queries) == lookup
    assert lookup.window(99) == window


@pytest.mark.parametrize("queries", [["page=1"], ["count=x"], ["count=-1"], ["page=1", "count="], ["a=b"] * 17])
def test_what_is_no_lookup_is_refused(queries):
    with pytest.raises(DecodeError):
        read_lookup(queries)


@pytest.mark.parametrize(
    ("target", "whole"),
    [
        ("/light", f"{BASE}/light"),
        ("light", f"{BASE}/light"),
        ("//192.0.2.9/x", "coap://192.0.2.9/x"),
        ("https://example.com/x", "https://example.com/x"),
    ],
)
def test_targets_are_made_absolute(target, whole):
    assert resolve(BASE, target) == whole


@pytest.mark.spec("RFC 9176 6.1")
def test_an_anchor_is_made_absolute_too_and_nothing_else_is():
    said = Link("/t", (("anchor", "/sensors/temp"), ("rel", "alternate"), ("title", "/a")))
    shown = Link(f"{BASE}/t", (("anchor", f"{BASE}/sensors/temp"), ("rel", "alternate"), ("title", "/a")))
    assert absolute(said, BASE) == shown
    assert absolute(Link("http://h/x", (("anchor", "coap://h"),)), BASE) == Link(
        "http://h/x", (("anchor", "coap://h"),)
    )


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("coap://192.0.2.1:1", ("192.0.2.1", 1)),
        ("coap://192.0.2.1", ("192.0.2.1", 5683)),
        ("coap://[2001:db8::1]:7", ("2001:db8::1", 7)),
        ("coap+tcp://192.0.2.1:1", None),
        ("coap://192.0.2.1:0", None),
        ("coap://192.0.2.1:99999", None),
        ("coap://192.0.2.1:1/x", None),
        ("", None),
    ],
)
def test_an_address_is_read_out_of_a_base(base, address):
    assert address_of(base) == address


def test_a_base_is_made_of_an_address():
    assert base_of(("2001:db8::1", 5683)) == "coap://[2001:db8::1]:5683"
    said = read_registration(["ep=a", "base=coap://[2001:DB8::1]:1"], b"", ("2001:db8::1", 5683))
    assert said.base == "coap://[2001:DB8::1]:1"
