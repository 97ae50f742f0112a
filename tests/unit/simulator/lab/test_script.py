from ipaddress import IPv4Address

from thingstead.simulator.lab.script import Datagram, Raw, Step, Talk, document

HERE, THERE = (IPv4Address("10.77.1.1"), 40_000), (IPv4Address("192.0.2.1"), 25)


def told(act):
    return document((Step(1.0, 0, "plug-1", act, "mail"),))[0]


def test_what_is_text_is_told_as_it_stands():
    row = told(Talk(HERE, THERE, (b"EHLO camera\r\n", b"QUIT\r\n")))
    assert row["does"] == "TCP 10.77.1.1:40000 > 192.0.2.1:25 'EHLO camera\\r\\n' | 'QUIT\\r\\n'"
    assert (row["at"], row["who"], row["bad"]) == (1.0, "plug-1", "mail")


def test_what_is_no_text_is_told_by_a_digest():
    one, two = told(Datagram(HERE, THERE, b"\x00\x01")), told(Datagram(HERE, THERE, b"\x00\x02"))
    assert one["does"].startswith("UDP 10.77.1.1:40000 > 192.0.2.1:25 2 octets ")
    assert one != two


def test_two_frames_of_one_name_are_told_apart():
    assert told(Raw("ARP", b"one")) != told(Raw("ARP", b"two"))
