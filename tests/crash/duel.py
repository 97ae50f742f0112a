"""Two parties of one OSCORE association, the network between them, and `kill -9` at seeded instants."""

from __future__ import annotations

import os
import random
import selectors
import signal
import socket
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash import party
from tests.crash.wire import OSCORE, parse
from thingstead.secret import Secret
from thingstead.storage.oscore_context import ContextFile, OscoreParameters, Sequences

__all__ = ["Duel"]

_PARTIES = (0, 1)
_VICTIMS = ((0,), (1,), (0, 1))
_PATIENCE = 10.0
_KEPT = 4096
_REPLAYED = 8


@dataclass(slots=True)
class _Side:
    """One party as the network sees it.

    Attributes:
        file: its context.
        front: where the other party believes it to be.
        process: its process id; 0 while there is none.
        address: where it really is in this life.
        answered: responses that it took in this life.
        recorded: requests that were sent to it, for whoever replays them.
    """

    file: Path
    front: socket.socket
    process: int = 0
    address: tuple[str, int] | None = None
    answered: int = 0
    recorded: deque[bytes] = field(default_factory=lambda: deque(maxlen=_KEPT))


class Duel:
    """Runs and kills them.

    Attributes:
        violations: what must not be, in sentences.
        counts: what happened.
        pairs: (key, nonce) pairs that something was encrypted under.
        slowest: seconds from a restart until both were answered again, at most.
    """

    def __init__(self, directory: Path, *, seed: int) -> None:
        self._random = random.Random(seed)
        self._selector = selectors.DefaultSelector()
        self._journal, self._pipe = os.pipe()
        self._selector.register(self._journal, selectors.EVENT_READ)
        self._stranger = _bound()
        self._sides = tuple(self._side(directory / f"{number}.json", number) for number in _PARTIES)
        self._accepted: set[tuple[int, bytes]] = set()
        self.pairs: set[tuple[bytes, bytes]] = set()
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()
        self.slowest = 0.0

    def go(self, kills: int, *, check_every: int = 10) -> None:
        """Kill so often; every now and then both have to get on before it goes on."""
        for number in _PARTIES:
            self._start(number)
        self._both_get_on()
        for kill in range(kills):
            # Half of the instants come before a party has found back, the others in the midst of its work.
            self._relay(self._random.random() * (0.01 if self._random.random() < 0.5 else 0.2))
            victims = self._random.choice(_VICTIMS)
            for number in victims:
                self._kill(number)
            self._relay(self._random.random() * 0.02)
            for number in victims:
                self._start(number)
            self._replay(self._random.choice(victims))
            if kill % check_every == check_every - 1:
                self._both_get_on()
        self._both_get_on()

    def close(self) -> None:
        """End both, and the network."""
        for side in self._sides:
            if side.process:
                os.kill(side.process, signal.SIGKILL)
                os.waitpid(side.process, 0)
            side.front.close()
        self._stranger.close()
        self._selector.close()
        os.close(self._journal)
        os.close(self._pipe)

    def _side(self, file: Path, number: int) -> _Side:
        ids = (b"\x00", b"\x01")
        mine, others = ids[number], ids[1 - number]
        ContextFile.create(
            file, OscoreParameters(Secret(bytes(range(16))), mine, others), Sequences(0, is_new=True)
        ).close()
        side = _Side(file, _bound())
        self._selector.register(side.front, selectors.EVENT_READ, number)
        return side

    def _start(self, number: int) -> None:
        side, other = self._sides[number], self._sides[1 - number]
        peer = other.front.getsockname()
        side.answered, side.address = 0, None
        side.process = os.fork()
        if not side.process:
            try:
                party.live(number, side.file, peer, self._pipe)
            finally:
                os._exit(1)

    def _kill(self, number: int) -> None:
        side = self._sides[number]
        os.kill(side.process, signal.SIGKILL)
        _, status = os.waitpid(side.process, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            self.violations.append(f"party {number} ended by itself")
        side.process = 0
        self.counts[f"kills of party {number}"] += 1

    def _replay(self, number: int) -> None:
        """Send a restarted party what it had in earlier lives, from its peer's address and from a stranger's."""
        side, other = self._sides[number], self._sides[1 - number]
        deadline = time.monotonic() + _PATIENCE
        while side.address is None and time.monotonic() < deadline:
            self._relay(0.002)
        for _ in range(min(_REPLAYED, len(side.recorded))):
            sender = self._random.choice((other.front, self._stranger))
            self._send(sender, self._random.choice(side.recorded), side.address)
            self.counts["replayed"] += 1

    def _both_get_on(self) -> None:
        began = time.monotonic()
        for side in self._sides:
            side.answered = 0
        while not all(side.answered for side in self._sides):
            if time.monotonic() - began > _PATIENCE:
                self.violations.append(f"an association did not go on within {_PATIENCE} s")
                return
            self._relay(0.005)
        self.slowest = max(self.slowest, time.monotonic() - began)

    def _relay(self, seconds: float) -> None:
        """Be the network, and read what the parties tell."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                if key.data is None:
                    self._read()
                else:
                    self._carry(key.data)

    def _carry(self, number: int) -> None:
        """What came to the place where `number` is believed to be goes to where it is, from its peer's place."""
        side, other = self._sides[number], self._sides[1 - number]
        with suppress(OSError):  # whoever sent it, or is to get it, has just died
            data, source = side.front.recvfrom(2048)
            if other.address is None:
                other.address = source
            message = parse(data)
            if message.is_request and OSCORE in message.options:
                side.recorded.append(data)
            self._send(other.front, data, side.address)

    def _send(self, sender: socket.socket, data: bytes, destination: tuple[str, int] | None) -> None:
        if destination is not None:
            with suppress(OSError):
                sender.sendto(data, destination)

    def _read(self) -> None:
        for at in range(0, len(told := os.read(self._journal, 2048 * party.RECORD.size)), party.RECORD.size):
            kind, number, key, data, _ = party.RECORD.unpack_from(told, at)
            if kind == party.PROTECTED:
                if (key, data) in self.pairs:
                    self.violations.append(f"party {number} used nonce {data.hex()} twice")
                self.pairs.add((key, data))
            elif kind == party.ACCEPTED:
                if (number, data) in self._accepted:
                    self.violations.append(f"party {number} accepted request {data.hex()} twice")
                self._accepted.add((number, data))
                self.counts["accepted"] += 1
            elif kind == party.ANSWERED:
                self._sides[number].answered += 1
                self.counts["answered"] += 1
            elif kind == party.BOUND:
                self._sides[number].address = ("127.0.0.1", int.from_bytes(data, "big"))


def _bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock
