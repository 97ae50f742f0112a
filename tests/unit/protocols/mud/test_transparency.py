import json

import pytest

from tests.unit.protocols.mud.fixture import bent
from thingstead.errors import DecodeError
from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.parser import parse
from thingstead.protocols.mud.transparency import Sbom, Transparency, parse_transparency

BILL = "https://maker.example/lamp/1.1/sbom.json"
CLOUD = {
    "sboms": [{"version-info": "1.1", "sbom-url": BILL}, {"version-info": "1.0"}],
    "sbom-archive-list": "https://maker.example/lamp/sboms",
    "vuln-url": ["https://maker.example/lamp/csaf.json"],
}


def parsed(value, quirks=None):
    report = [] if quirks is None else quirks
    return parse_transparency(Node(value, "/t"), lambda node, message, spec: report.append((node.place, message)))


@pytest.mark.spec("RFC 9472 3")
def test_bills_and_vulnerabilities_are_pointed_to():
    assert parsed(CLOUD) == Transparency(
        sboms=(Sbom("1.1", BILL), Sbom("1.0", "")),
        sbom_archive="https://maker.example/lamp/sboms",
        vulnerability_urls=("https://maker.example/lamp/csaf.json",),
    )


@pytest.mark.parametrize("name", ["https", "coap", "ietf-mud-transparency:coaps", "mudtx:http"])
def test_a_thing_may_serve_its_bill_itself(name):
    assert parsed({"sbom-local-well-known": name}).sbom_on_thing == name.split(":")[-1]


def test_a_contact_may_be_all_there_is():
    told = parsed({"sbom-contact-uri": "tel:+1-201-555-0100", "vuln-contact-uri": "mailto:psirt@maker.example"})
    assert (told.sbom_contact, told.vulnerability_contact) == ("tel:+1-201-555-0100", "mailto:psirt@maker.example")


def test_the_names_of_drafts_and_single_values_are_read_and_what_is_unknown_is_told():
    quirks: list[tuple[str, str]] = []
    told = parsed({"contact-info": "tel:1", "vuln-url": "https://a.example/v", "colour": 1}, quirks)
    assert (told.sbom_contact, told.vulnerability_urls) == ("tel:1", ("https://a.example/v",))
    assert [place for place, _ in quirks] == ["/t/contact-info", "/t/colour"]


@pytest.mark.spec("RFC 9472 3")
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "an object"),
        ({"sboms": {}}, "an array"),
        ({"sboms": [{}]}, "'version-info', which is missing"),
        ({"sboms": [{"version-info": "1", "sbom-url": "file:///etc/passwd"}]}, "of scheme https or http"),
        ({"sboms": [{"version-info": "1", "sbom-url": "javascript:x"}]}, "of scheme https or http"),
        ({"sboms": [{"version-info": "1"}] * 33}, "at most 32 elements"),
        ({"sbom-local-well-known": "gopher"}, "one of coap, coaps, http, https"),
        ({"sbom-local-well-known": 7}, "printable string"),
        ({"sbom-archive-list": "sboms"}, "of scheme https or http"),
        ({"vuln-url": ["x"]}, "of scheme https or http"),
        ({"sbom-contact-uri": "tel:1\x1b[2J"}, "printable string"),
        ({"sboms": [], "sbom-local-well-known": "coap"}, "one of sbom-contact-uri, sbom-local-well-known, sboms"),
        ({"vuln-url": [], "vuln-contact-uri": "tel:1"}, "one of vuln-contact-uri, vuln-url"),
    ],
)
def test_a_pointer_outside_its_type_is_refused_with_its_place(value, message):
    with pytest.raises(DecodeError, match=message) as caught:
        parsed(value)
    assert str(caught.value).startswith("/t")


@pytest.mark.spec("RFC 9472 3")
@pytest.mark.parametrize("name", ["ietf-mud-transparency:transparency", "mudtx:transparency", "transparency"])
def test_a_file_carries_its_pointers_under_any_of_the_names_in_use(name):
    file = parse(bent(f"/ietf-mud:mud/{name}", CLOUD))
    assert file.transparency == parsed(CLOUD)
    assert file.findings == ()
    assert parse(bent()).transparency is None


def test_two_sets_of_pointers_are_refused():
    document = json.loads(bent("/ietf-mud:mud/transparency", CLOUD))
    document["ietf-mud:mud"]["mudtx:transparency"] = CLOUD
    with pytest.raises(DecodeError, match="one transparency extension"):
        parse(json.dumps(document).encode())
