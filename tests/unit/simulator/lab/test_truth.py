from ipaddress import IPv4Address

from thingstead.protocols.packet.packet import decode_frame
from thingstead.simulator.lab import frame
from thingstead.simulator.lab.script import Datagram, Raw, Step, Talk
from thingstead.simulator.lab.truth import Count, Truth

HERE, THERE = (IPv4Address("10.77.1.1"), 40_000), (IPv4Address("192.0.2.1"), 80)
MACS = bytes.fromhex("027700000001"), bytes.fromhex("027700000000")


def packet(source, to, macs=MACS):
    whole = frame.udp(source, to, b"x", macs=macs)
    return decode_frame(whole, at=0.0), whole


def truth(act, pattern="flood"):
    return Truth([Step(0.0, 0, "plug-1", act, pattern)])


def test_a_flow_is_bad_wherever_it_is_seen():
    told = truth(Datagram(HERE, THERE, b"x"))
    assert told.is_bad(*packet(HERE, THERE))
    assert told.is_bad(*packet(HERE, THERE, macs=MACS[::-1]))


def test_what_comes_back_is_an_answer_and_not_bad():
    told = truth(Datagram(HERE, THERE, b"x"))
    back = packet(THERE, HERE)
    assert told.is_answer(back[0])
    assert not told.is_bad(*back)


def test_ordinary_life_is_not_bad():
    assert not truth(Datagram(HERE, THERE, b"x"), pattern="").is_bad(*packet(HERE, THERE))


def test_another_port_is_not_bad():
    assert not truth(Datagram(HERE, THERE, b"x")).is_bad(*packet((HERE[0], 40_001), THERE))


def test_another_protocol_is_not_bad():
    assert not truth(Talk(HERE, THERE)).is_bad(*packet(HERE, THERE))


def test_a_frame_without_ports_is_known_by_all_of_it():
    said = frame.arp_reply(MACS[0], claimed=HERE[0], to_mac=MACS[1], to=THERE[0])
    other = frame.arp_reply(MACS[0], claimed=THERE[0], to_mac=MACS[1], to=THERE[0])
    told = truth(Raw("ARP", said))
    assert told.is_bad(decode_frame(said, at=0.0), said)
    assert not told.is_bad(decode_frame(other, at=0.0), other)


def test_what_was_sent_after_the_last_that_came_through_is_counted():
    count = Count()
    for at in (1.0, 2.0, 3.0):
        count.attempt(at, at)
        if at == 1.0:
            count.passage(at, at)
    assert (count.tried, count.passed, count.after) == (3, 1, 2)
    assert (count.first, count.last) == ((1.0, 1.0), (1.0, 1.0))


def test_ordinary_life_is_known_by_its_flows():
    told = truth(Datagram(HERE, THERE, b"x"), pattern="")
    assert told.is_ordinary(packet(HERE, THERE)[0])
    assert not told.is_ordinary(packet(THERE, HERE)[0])
