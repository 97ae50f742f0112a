"""What it costs that a key is in another process: the same call in the process and over a keeper's socket.

A join costs the controller one agreement and four signatures; beside them each row is small.
"""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

from bench.figure import Figure
from thingstead.clock import SystemClock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PrivateKey, generate
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.identifier import KeyId
from thingstead.keeper.rule import GroupRule
from thingstead.keeper.server import Keeper, serve
from thingstead.protocols.ace.groupcomm_join import kdc_proof_input
from thingstead.transport.key_socket import RemoteKeyStore

__all__ = ["figures"]

_CALLS, _ROUNDS = 300, 7
_MESSAGE = kdc_proof_input(cnonce=bytes(8), kdc_nonce=bytes(8))
_NAME = KeyId("groups")


def figures() -> Iterator[Figure]:
    """Microseconds of one signature and one agreement, both ways."""
    own = generate(KeyType.P256)
    peer = generate(KeyType.P256).public
    with tempfile.TemporaryDirectory() as folder:
        door = Path(folder) / "groups.socket"
        pid = _keeper(own, door)
        try:
            with closing(RemoteKeyStore({_NAME: door}, MemoryKeyStore())) as keys:
                there = keys.handle(_NAME)
                for name, call in (("signature", _sign), ("agreement", lambda key: key.agree(peer))):
                    ours, beside = _both(call, there, own)
                    yield Figure(f"{name} by a key with its keeper", "us", ours, beside, "the same in the process")
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


def _sign(key: PrivateKey) -> object:
    return key.sign(_MESSAGE, AlgorithmId.ESP256)


def _both(call: Callable[[PrivateKey], object], there: PrivateKey, here: PrivateKey) -> tuple[float, float]:
    """By turns, so that what else the machine does meets both."""
    rounds = [(_time(call, there), _time(call, here)) for _ in range(_ROUNDS)]
    return median(one for one, _ in rounds), median(other for _, other in rounds)


def _time(call: Callable[[PrivateKey], object], key: PrivateKey) -> float:
    started = time.perf_counter()
    for _ in range(_CALLS):
        call(key)
    return (time.perf_counter() - started) / _CALLS * 1e6


def _keeper(own: PrivateKey, door: Path) -> int:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(door))
    listener.listen()
    pid = os.fork()
    if pid == 0:
        serve(Keeper(_NAME, own, GroupRule(), utc=SystemClock().utc), listener, user=os.geteuid())
    listener.close()
    return pid
