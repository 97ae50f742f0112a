import pytest

from tests.unit.analysis.detectors.traffic import LAMP, OTHER_IP, STRANGER, back, packet, syn, told, udp
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.option import OscoreOption, encode_option

NAME, PORTS = "oscore_nonce_reuse", (40_000, 5683)


def protected(at, content, *, iv=b"\x05", kid=b"\x01", context=None, extra=(), code=Code.POST, **fields):
    value = encode_option(OscoreOption(iv, kid, context))
    options = sorted([(int(OptionNumber.OSCORE), value), *extra])
    payload = coap.encode(coap.Message(code, mid=int(at), options=options, payload=content))
    return udp(at, payload, to=OTHER_IP, ports=PORTS, **fields)


def edhoc(at):
    return udp(at, coap.encode(coap.request(Code.POST, "/.well-known/edhoc")), to=OTHER_IP, ports=PORTS)


@pytest.mark.requirement("R-26")
@pytest.mark.spec("RFC 8613 7.2.1")
def test_two_messages_under_one_number_are_found():
    (found,) = told(NAME, protected(1, b"one ciphertext"), protected(2, b"another"))
    assert (found.device, found.evidence) == (LAMP, ("Partial IV 05 twice, from 192.168.1.11 port 40000",))


@pytest.mark.requirement("R-26")
def test_notifications_are_told_apart_by_their_numbers_too():
    one, other = (protected(at, bytes([at] * 12), kid=None, code=Code.CONTENT) for at in (1, 2))
    assert told(NAME, back(one, payload=one.payload), back(other, payload=other.payload))


@pytest.mark.requirement("R-26")
@pytest.mark.spec("RFC 8613 7.2.1")
@pytest.mark.parametrize(
    "packets",
    [
        [protected(1, b"the same"), protected(2, b"the same")],
        [protected(1, b"one", iv=b"\x05"), protected(2, b"another", iv=b"\x06")],
        [protected(1, b"one", kid=b"\x01"), protected(2, b"another", kid=b"\x02")],
        [protected(1, b"one", context=b"a"), protected(2, b"another", context=b"b")],
        [protected(1, b"one"), edhoc(2), protected(3, b"another")],
        [protected(1, b"one"), protected(2, b"another", extra=[(int(OptionNumber.EDHOC), b"")])],
        [protected(at, bytes([at]), extra=[(int(OptionNumber.BLOCK1), b"\x08")]) for at in (1, 2)],
        [protected(1, b"one", iv=None, kid=None, code=68), protected(2, b"another", iv=None, kid=None, code=68)],
        [protected(1, b"one"), protected(2, b"another", source="192.168.1.9")],
        [protected(1, b"one", mac=STRANGER), protected(2, b"another")],
        [udp(at, b"\x40\xff\xff", ports=PORTS) for at in (1, 2)],
        [udp(1, protected(1, b"one").payload, ports=(1, 2)), udp(2, protected(2, b"other").payload, ports=(1, 2))],
        [syn(1), packet(2, ports=PORTS)],
    ],
    ids=["sent again", "another number", "another sender", "another context", "keys anew", "keys anew, combined",
         "blocks", "answers", "another place", "another's forgery", "no message", "another port", "TCP"],
)  # fmt: skip
def test_what_uses_no_number_twice_is_not_told(packets):
    assert not told(NAME, *packets)
