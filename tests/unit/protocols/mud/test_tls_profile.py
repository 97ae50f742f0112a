import pytest

from tests.unit.protocols.tls.hello import real
from thingstead.errors import DecodeError
from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.tls_profile import TlsProfile, parse_profiles
from thingstead.protocols.tls.client_hello import ClientHello, decode

EVERYTHING = {
    "name": "all",
    "supported-tls-version": ["tls12", "tls13"],
    "supported-dtls-version": ["dtls12"],
    "cipher-suite": [4865],
    "extension-type": [10, 13],
    "accept-list-ta-cert": ["AAAA", "BBBB"],
    "psk-key-exchange-mode": [1],
    "supported-group": [29],
    "signature-algorithm": [1027],
    "signature-algorithm-cert": [2052],
    "application-protocol": ["h2"],
    "cert-compression-algorithm": [2],
    "certificate-authorities": ["CN=Maker"],
}


def parsed(*profiles, quirks=None):
    report = [] if quirks is None else quirks
    node = Node({"tls-dtls-profile": list(profiles)}, "/x")
    return parse_profiles(node, lambda node, message, spec: report.append((node.place, message, spec)))


@pytest.mark.spec("RFC 9761 5.1")
def test_every_parameter_has_its_place():
    assert parsed(EVERYTHING) == (
        TlsProfile(
            "all", ("tls12", "tls13", "dtls12"), (4865,), (10, 13), (29,), (1027,), (2052,), (1,), ("h2",), (2,),
            ("CN=Maker",), 2,
        ),
    )  # fmt: skip


def test_a_profile_is_said_by_its_versions_and_suites():
    (profile,) = parsed(EVERYTHING)
    assert str(profile) == "by TLS 1.2, TLS 1.3, DTLS 1.2, cipher suites 0x1301 (profile all)"
    assert str(TlsProfile("bare")) == "by TLS (profile bare)"
    assert profile.name == "tls-dtls-profile"


@pytest.mark.spec("RFC 9761 7")
def test_the_names_of_the_rfcs_own_example_are_read_with_a_finding():
    example = {
        "name": "profile1",
        "supported-tls-versions": ["tls13"],
        "cipher-suite": [4865, 4866],
        "extension-types": [10, 11],
        "supported-groups": [29],
    }
    quirks: list[tuple[str, str, str]] = []
    (profile,) = parsed(example, quirks=quirks)
    assert (profile.versions, profile.extensions, profile.groups) == (("tls13",), (10, 11), (29,))
    assert [place for place, _, _ in quirks] == [
        f"/x/tls-dtls-profile/0/{name}" for name in ("supported-tls-versions", "extension-types", "supported-groups")
    ]
    node = Node({"tls-dtls-profiles": [example]}, "/x")
    assert len(parse_profiles(node, lambda *_: None)) == 1


@pytest.mark.spec("RFC 9761 5.1")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 7}, "printable string"),
        ({"supported-tls-version": ["tls10"]}, "one of tls12, tls13"),
        ({"supported-dtls-version": ["tls12"]}, "one of dtls12, dtls13"),
        ({"supported-tls-version": "tls12"}, "an array"),
        ({"cipher-suite": [65536]}, "from 0 to 65535"),
        ({"cipher-suite": ["0x1301"]}, "from 0 to 65535"),
        ({"cipher-suite": [1] * 129}, "at most 128 values"),
        ({"psk-key-exchange-mode": [256]}, "from 0 to 255"),
        ({"application-protocol": ["h\n2"]}, "printable string"),
        ({"certificate-authorities": ["x" * 257]}, "printable string"),
        ({"accept-list-ta-cert": [1]}, "printable string"),
        ({"colour": [1]}, "a parameter of RFC 9761"),
    ],
)
def test_a_parameter_outside_its_type_is_refused_with_its_place(change, message):
    with pytest.raises(DecodeError, match=message) as caught:
        parsed({**EVERYTHING, **change})
    assert str(caught.value).startswith("/x/tls-dtls-profile/0/")


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({}, "a list tls-dtls-profile"),
        ({"tls-dtls-profile": []}, "a profile"),
        ({"tls-dtls-profile": [{}]}, "'name', which is missing"),
        ({"tls-dtls-profile": [{"name": "x"}] * 17}, "at most 16 profiles"),
        ({"tls-dtls-profile": [{"name": "x"}], "tls-dtls-profiles": []}, "and nothing else"),
        ([], "an object"),
    ],
)
def test_a_container_that_holds_anything_else_is_refused(container, message):
    with pytest.raises(DecodeError, match=message):
        parse_profiles(Node(container, "/x"), lambda *_: None)


@pytest.mark.spec("RFC 9761 6")
def test_a_hello_within_its_profile_deviates_in_nothing():
    hello = ClientHello((0x0304,), (4865,), (10,), (29,), (1027,), (2052,), (1,), (b"h2",), (2,))
    (profile,) = parsed(EVERYTHING)
    assert profile.deviations(hello) == ()
    assert TlsProfile("bare").deviations(decode(real())) == ()


@pytest.mark.spec("RFC 9761 6")
def test_each_offer_beyond_the_profile_is_named():
    hello = ClientHello((0x0302,), (5,), (99,), (24,), (513,), (514,), (0,), (b"h3",), (1,))
    (profile,) = parsed(EVERYTHING)
    assert profile.deviations(hello) == (
        "version 0x0302",
        "cipher suite 0x0005",
        "extension 0x0063",
        "group 0x0018",
        "signature algorithm 0x0201",
        "certificate algorithm 0x0202",
        "key exchange mode 0x0000",
        "certificate compression 0x0001",
        "protocol 'h3'",
    )
