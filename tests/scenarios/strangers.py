"""Somebody on the network of a scenario whom no thing knows; each word comes from an address of its own."""

import asyncio
from contextlib import suppress
from itertools import count

from thingstead.simulator.virtual.network import Host


class Ear:
    """A core that says one thing and keeps what comes back."""

    def __init__(self, datagram, address, until):
        self._outgoing = [(datagram, address)]
        self._until = until
        self.heard = []
        self.is_enough = asyncio.Event()

    def receive_datagram(self, data, _source, _now, *, multicast=False):
        assert not multicast
        self.heard.append(data)
        if self._until(data):
            self.is_enough.set()

    def run(self, now):
        pass

    def datagrams_to_send(self, _now):
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def next_deadline(self):
        return None


class VirtualStranger:
    """Fits `Stranger`; `open` are the TCP ports that somebody listens at."""

    def __init__(self, network):
        self._network = network
        self._ports = count(40_000)
        self.open = set()
        self.said = 0

    async def say(self, datagram, address, *, within, until):
        self.said += 1
        ear = Ear(datagram, address, until)
        host = Host(ear, ("203.0.113.9", next(self._ports)), self._network)
        host.flush()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await ear.is_enough.wait()
        host.stop()
        return tuple(ear.heard)

    async def knock(self, _host, port, *, within):
        assert within > 0
        return port in self.open
