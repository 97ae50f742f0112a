import pytest

from tests.unit.analysis.traffic.packets import ACK, CLOUD, DEVICE, LAMP, PHONE, TCP, flow, packet
from tests.unit.protocols.mud.fixture import AT, with_ace
from tests.unit.protocols.tls.hello import body, extension, numbers, tls, vector
from thingstead.analysis.traffic import handshake
from thingstead.analysis.traffic.handshake import Handshakes
from thingstead.analysis.traffic.verdict import Judge
from thingstead.protocols.mud.rule import Surroundings, compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit

NEW = tls(body(extension(43, vector(1, numbers(0x0304)))))
OLD = tls(body(suites=(0x002F, 5), version=0x0301))
PROFILES = (
    {"name": "new", "supported-tls-version": ["tls13"], "cipher-suite": [0x1301]},
    {"name": "other", "supported-tls-version": ["tls12"]},
)


def judge(*profiles):
    expected = {"ietf-acl-tls:client-profiles": {"tls-dtls-profile": list(profiles)}} if profiles else {}
    matches = {"tcp": {"destination-port": {"operator": "eq", "port": 443}}, **expected}
    policy = AdmissionPolicy("lab", insecure_unsigned=True)
    return Judge(compile_rules(admit(with_ace(matches), None, policy=policy, at=AT)), Surroundings())


def heard(*payloads, source=LAMP):
    handshakes = Handshakes()
    for payload in payloads:
        handshakes.see(packet(source, CLOUD, 40000, 443, protocol=TCP, flags=ACK, payload=payload))
    return handshakes


@pytest.mark.spec("RFC 9761 6")
def test_a_handshake_that_fits_one_of_its_profiles_is_held_and_fine():
    assert heard(NEW).hold([flow()], judge(*PROFILES)) == (1, ())


@pytest.mark.spec("RFC 9761 6")
def test_a_handshake_that_fits_none_is_told_by_the_one_it_fits_best():
    count, (deviation,) = heard(OLD).hold([flow()], judge(*PROFILES))
    assert (count, deviation.flow.device, deviation.profile) == (1, DEVICE, "other")
    assert deviation.offers == ("version 0x0301",)


def test_the_first_hello_of_a_conversation_counts():
    assert heard(NEW, OLD).hold([flow()], judge(*PROFILES)) == (1, ())


@pytest.mark.parametrize(
    ("handshakes", "flows", "profiles"),
    [
        (heard(OLD), [flow()], ()),
        (heard(OLD), [flow(remote_port=8443)], PROFILES),
        (heard(OLD), [flow(device_port=40001)], PROFILES),
        (heard(OLD, source=PHONE), [flow()], PROFILES),
        (heard(b"", b"GET / HTTP/1.1", OLD[:40], b"\x16"), [flow()], PROFILES),
    ],
    ids=["no profile", "another port", "another conversation", "another device", "no hello"],
)
def test_what_has_no_hello_or_no_profile_is_not_held(handshakes, flows, profiles):
    assert handshakes.hold(flows, judge(*profiles)) == (0, ())


def test_hellos_beyond_the_bound_are_passed_over(monkeypatch):
    monkeypatch.setattr(handshake, "_MOST", 0)
    assert heard(OLD).hold([flow()], judge(*PROFILES)) == (0, ())
