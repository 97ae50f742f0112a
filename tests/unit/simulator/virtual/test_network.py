import asyncio

import pytest

from thingstead.simulator.virtual.clock import VirtualLoop, run
from thingstead.simulator.virtual.network import Host, Killed, Network

A, B = ("192.0.2.1", 5683), ("192.0.2.2", 5683)


class Echo:
    """A core that notes what it hears, and sends what it is given."""

    def __init__(self):
        self.heard, self.to_send, self.fails = [], [], False

    def receive_datagram(self, data, source, now, *, multicast=False):
        self.heard.append((data, source, now))

    def run(self, _now):
        if self.fails:
            raise Killed

    def datagrams_to_send(self, _now):
        sent, self.to_send = self.to_send, []
        return sent

    def next_deadline(self):
        return None


def heard(*, before=lambda _network, _hosts: None, **line):
    """What B has heard ten seconds after A sent it one datagram."""
    loop = VirtualLoop()

    async def story():
        network = Network(loop, **line)
        cores = Echo(), Echo()
        hosts = Host(cores[0], A, network), Host(cores[1], B, network)
        before(network, hosts)
        cores[0].to_send.append((b"hello", B))
        hosts[0].flush()
        await asyncio.sleep(10)
        return cores[1].heard

    return run(loop, story())


def test_a_datagram_arrives_after_the_delay_of_the_line():
    assert heard(delay=0.25) == [(b"hello", A, 0.25)]


@pytest.mark.parametrize(
    "before",
    [
        lambda network, _hosts: network.asleep.add(A),
        lambda network, _hosts: network.asleep.add(B),
        lambda _network, hosts: hosts[1].stop(),
        lambda _network, hosts: hosts[0].stop(),
        lambda network, _hosts: setattr(network, "on_path", lambda _datagram: ()),
    ],
    ids=["the sender sleeps", "the receiver sleeps", "it is off", "the sender is off", "somebody drops it"],
)
def test_who_sleeps_is_off_or_is_cut_off_hears_nothing(before):
    assert heard(before=before) == []


def test_a_line_loses_and_doubles_as_it_is_told():
    assert heard(loss=1.0) == []
    assert len(heard(duplication=1.0)) == 2


def test_a_program_that_dies_falls_silent_and_its_owner_is_told():
    loop, told = VirtualLoop(), []

    async def story():
        core = Echo()
        host = Host(core, A, Network(loop), on_killed=lambda: told.append("killed"))
        core.fails = True
        host.flush()
        return host.is_up

    assert run(loop, story()) is False
    assert told == ["killed"]


def test_a_host_that_was_stopped_does_nothing_until_it_is_woken():
    loop = VirtualLoop()

    async def story():
        network, core = Network(loop), Echo()
        host, other = Host(core, A, network), Host(Echo(), B, network)
        host.stop()
        core.to_send.append((b"hello", B))
        host.flush()
        network.send(b"lost", B, A)
        await asyncio.sleep(1)
        asleep = list(core.heard), list(core.to_send)
        host.wake()
        network.send(b"heard", B, A)
        await asyncio.sleep(1)
        return asleep, [data for data, *_ in core.heard], other.is_up

    assert run(loop, story()) == (([], [(b"hello", B)]), [b"heard"], True)
