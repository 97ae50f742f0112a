import pytest

from tests.unit.protocols.mud.fixture import AT, entry, with_ace
from thingstead.errors import DecodeError
from thingstead.protocols.mud.parser import parse
from thingstead.protocols.mud.rule import compile_rules, difference
from thingstead.protocols.mud.signature import AdmissionPolicy, admit

PROFILE = {"name": "cloud", "supported-tls-version": ["tls13"], "cipher-suite": [4865, 4866]}
LAB = AdmissionPolicy("lab", insecure_unsigned=True)


def matches(*profiles, container="client-profiles"):
    return {"tcp": {}, f"ietf-acl-tls:{container}": {"tls-dtls-profile": list(profiles)}}


@pytest.mark.spec("RFC 9761 5.1")
@pytest.mark.parametrize("container", ["client-profiles", "client-profile"])
def test_a_profile_is_kept_beside_the_flow_and_told(container):
    found = entry(matches(PROFILE, {"name": "old"}, container=container))
    assert [one.label for one in found.expectations] == ["cloud", "old"]
    (finding,) = parse(with_ace(matches(PROFILE))).findings
    assert "the filter lets any handshake through" in finding.message
    assert not finding.narrows


def test_a_profile_goes_with_the_rule_and_a_changed_one_is_a_changed_rule():
    old, new = (
        compile_rules(admit(with_ace(matches(one)), None, policy=LAB, at=AT))
        for one in (PROFILE, {**PROFILE, "cipher-suite": [4865]})
    )
    told = "thing -> any, ipv4, tcp, by TLS 1.3, cipher suites 0x1301, 0x1302 (profile cloud)"
    assert str(old.rules[0]) == told
    change = difference(old, new)
    assert (len(change.added), len(change.removed)) == (1, 1)


@pytest.mark.parametrize("profiles", [{}, {"tls-dtls-profile": {}}, {"tls-dtls-profile": [], "colour": 1}])
def test_what_is_no_list_of_profiles_refuses_the_file(profiles):
    with pytest.raises(DecodeError, match=r"tls-dtls-profile|expected an array"):
        parse(with_ace({"ietf-acl-tls:client-profiles": profiles}))
