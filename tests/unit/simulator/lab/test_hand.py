"""The guard is asked before a socket is opened: whoever is refused has sent nothing."""

from contextlib import closing
from ipaddress import IPv4Address, ip_network

import pytest

from thingstead.errors import DecodeError, ForbiddenError
from thingstead.simulator.lab import frame
from thingstead.simulator.lab.dummy import Dummies
from thingstead.simulator.lab.guard import Guard
from thingstead.simulator.lab.hand import Hands
from thingstead.simulator.lab.script import Datagram, Raw, Step, Talk

HERE, OUT = (IPv4Address("10.77.1.1"), 40_000), (IPv4Address("9.9.9.9"), 53)
MACS = bytes.fromhex("027700000001"), bytes.fromhex("027700000000")


class Nowhere(Guard):
    """The checks of acts alone, where no namespace is made."""

    def __init__(self):
        self._networks = (ip_network("10.77.0.0/16"),)


class NoNamespace(dict[str, int]):
    """Fails the test as soon as somebody looks where to open a socket."""

    def __missing__(self, name):
        raise AssertionError(f"a socket was to be opened for {name}")


def do(act):
    with closing(Dummies()) as dummies:
        Hands(NoNamespace(), dummies=dummies, guard=Nowhere()).do(Step(0.0, 0, "plug-1", act))


@pytest.mark.parametrize(
    "act",
    [
        Datagram(HERE, OUT, b"x"),
        Talk(HERE, OUT, (b"x",)),
        Raw("UDP", frame.udp(HERE, OUT, b"x", macs=MACS)),
        Raw("SYN", frame.tcp_syn(HERE, OUT, sequence=1, macs=MACS)),
    ],
    ids=["datagram", "connection", "frame", "syn"],
)
def test_what_would_leave_the_lab_is_refused_before_a_socket_is_opened(act):
    with pytest.raises(ForbiddenError, match="outside the lab"):
        do(act)


def test_what_is_no_frame_is_refused_as_well():
    with pytest.raises(DecodeError):
        do(Raw("nothing", b"short"))


def test_what_stays_within_is_done():
    with pytest.raises(AssertionError, match="a socket was to be opened for plug-1"):
        do(Datagram(HERE, (IPv4Address("10.77.1.2"), 53), b"x"))
