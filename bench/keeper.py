"""What it costs that a key or an engine is in another process: the same call in the process and over its socket.

A join costs the controller an agreement, four signatures and a demand of each plane; beside them each row is small.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from statistics import median

from bench.figure import Figure
from thingstead.cli.hosting import identity_host
from thingstead.clock import SystemClock
from thingstead.controller.config import ControllerConfig
from thingstead.controller.identity_engine import RemoteAuthority
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PrivateKey, generate
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.plane import Plane, PlaneName
from thingstead.domain.thing import Thing
from thingstead.identifier import KeyId, ThingId
from thingstead.keeper.host import serve_engine
from thingstead.keeper.rule import GroupRule
from thingstead.keeper.server import Keeper, serve
from thingstead.planes.identity.certificate_authority import CertificateAuthority
from thingstead.protocols.ace.groupcomm_join import kdc_proof_input
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords
from thingstead.transport.engine_socket import EngineSocket
from thingstead.transport.key_socket import RemoteKeyStore

__all__ = ["figures"]

_CALLS, _ROUNDS = 300, 7
_MESSAGE = kdc_proof_input(cnonce=bytes(8), kdc_nonce=bytes(8))
_NAME = KeyId("groups")
_THING = Thing(
    ThingId("thing-aaaaaaaaaaaaaaaa"), 1, LifecycleState.OPERATIONAL, Restriction.QUARANTINED, "acme", "LX-1", "1", 2
)


def figures() -> Iterator[Figure]:
    """Microseconds of one signature, one agreement and one demand, both ways."""
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
        door = Path(folder) / "identity.engine"
        pid = _forked(door, _host)
        try:
            ours, beside = asyncio.run(_demands(door))
            yield Figure("demand to a plane in a process of its own", "us", ours, beside, "the same in the process")
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


async def _demands(door: Path) -> tuple[float, float]:
    """Microseconds of a demand that changes nothing: there, and here."""
    here = CertificateAuthority(
        PlaneRecords(PlaneName.IDENTITY, MemoryStore()),
        generate(KeyType.P256),
        domain="bench",
        clock=SystemClock(),
        random_bytes=secrets.token_bytes,
        validity=timedelta(days=1),
    )
    with closing(EngineSocket(door)) as engine:
        there = RemoteAuthority(engine, store=MemoryStore(), clock=SystemClock())
        rounds = [(await _time_demands(there), await _time_demands(here)) for _ in range(_ROUNDS)]
    return median(one for one, _ in rounds), median(other for _, other in rounds)


async def _time_demands(plane: Plane) -> float:
    started = time.perf_counter()
    for _ in range(_CALLS):
        await plane.restrict(_THING, cause="bench", transition_id=_THING.transition_id)
    return (time.perf_counter() - started) / _CALLS * 1e6


def _host(listener: socket.socket) -> None:
    key, clock = generate(KeyType.P256), SystemClock()
    host = identity_host(
        MemoryStore(), key=key, config=ControllerConfig(), clock=clock, random_bytes=secrets.token_bytes
    )
    asyncio.run(serve_engine(host, listener, user=os.geteuid()))


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
    keeper = Keeper(_NAME, own, GroupRule(), utc=SystemClock().utc)
    return _forked(door, lambda listener: serve(keeper, listener, user=os.geteuid()))


def _forked(door: Path, run: Callable[[socket.socket], None]) -> int:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(door))
    listener.listen()
    pid = os.fork()
    if pid == 0:
        run(listener)
    listener.close()
    return pid
