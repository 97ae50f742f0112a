"""One scenario from its file to its score: a site is made for it, and gone with the process that it is played in."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from thingstead.crypto.digest import digest
from thingstead.enforcement.link import ports_of
from thingstead.enforcement.namespace import Site, rehearse
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.simulator.lab.cast import INTERNET, KINDS, OUTSIDE, Cast, Character
from thingstead.simulator.lab.dummy import OUTSIDE_TCP, OUTSIDE_UDP, Dummies
from thingstead.simulator.lab.guard import Guard, namespace_here
from thingstead.simulator.lab.hand import Hands
from thingstead.simulator.lab.household import Household
from thingstead.simulator.lab.play import BEGINNING, Lab, play
from thingstead.simulator.lab.plot import plot
from thingstead.simulator.lab.recording import Recording
from thingstead.simulator.lab.scenario import Scenario
from thingstead.simulator.lab.score import Outcome
from thingstead.simulator.lab.script import Step, document
from thingstead.simulator.lab.tap import Tap
from thingstead.simulator.virtual.clock import VirtualLoop
from thingstead.simulator.virtual.clock import run as run_loop
from thingstead.transport.packet_tap import PacketTap

__all__ = ["SCORE", "TRUTH", "run", "run_here"]

SCORE, TRUTH = "score.json", "truth.json"
_GATEWAY_MAC = bytes.fromhex("027700000000")
_COAP = 5683


def run(scenario: Scenario, *, seed: int, output: Path) -> dict[str, Any]:
    """Play a scenario in a child, which moves into namespaces of its own; call it with one thread.

    Returns:
        The score, as it stands in the directory `output` beside the captures and the ground truth.

    Raises:
        ConfigError: no namespaces here, or whatever stopped the run.
    """
    output.mkdir(parents=True, exist_ok=True)
    rehearse(lambda: run_here(scenario, seed=seed, output=output))
    read: dict[str, Any] = json.loads((output / SCORE).read_text(encoding="utf-8"))
    return read


def run_here(scenario: Scenario, *, seed: int, output: Path) -> Outcome:
    """Play it in this very process, which has no way back."""
    home = namespace_here()
    site = Site.create()
    site.represent(INTERNET)
    guard = Guard((*site.networks, *INTERNET), home=home)
    with ExitStack() as stack:
        stack.callback(site.close)
        cast, namespaces = _people(site, scenario)
        steps = plot(scenario, cast, seed=seed)
        truth = json.dumps(document(steps), indent=1).encode()
        (output / TRUTH).write_bytes(truth)
        hold_ports = scenario.owner.hold_ports
        kernel = Nftables(
            NftablesConfig((site.interface,), site.networks, onboarding=(("udp", _COAP),), hold_ports=hold_ports)
        )
        stack.callback(kernel.close)
        loop = VirtualLoop()
        ports = {site.interface: ports_of(site.interface)}
        household = Household(
            loop,
            kernel,
            # Asked every few seconds of a time that jumps: the lab's ports stay as they are.
            lambda: PacketTap([site.interface], ports_of=lambda name: ports.get(name, ())),
            site.networks,
            owner=scenario.owner,
            beginning=BEGINNING,
            seed=seed,
        )
        lab = Lab(cast, *_set(stack, site, cast, namespaces, guard), household, _kept(stack, output))
        outcome = run_loop(loop, _play(lab, scenario, steps, seed=seed, events=digest(truth).hex()))
    (output / SCORE).write_text(json.dumps(outcome.document(), indent=1), encoding="utf-8")
    return outcome


async def _play(lab: Lab, scenario: Scenario, steps: tuple[Step, ...], *, seed: int, events: str) -> Outcome:
    try:
        await lab.household.admit(lab.cast, rules=scenario.rules, updated=scenario.updated, asleep=scenario.asleep)
        return await play(lab, scenario, steps, seed=seed, events=events)
    finally:
        await lab.household.close()


def _people(site: Site, scenario: Scenario) -> tuple[Cast, dict[str, int]]:
    """Put everybody on the segment, in the order of the file."""
    things: list[Character] = []
    namespaces = {OUTSIDE: site.outside}
    for kind, many in scenario.things.items():
        for number in range(1, many + 1):
            place = site.attach(len(things) + 1)
            port = ports_of(site.interface)[-1]
            one = Character(f"{kind}-{number}", kind, place.mac, place.ipv4, place.ipv6, port)
            namespaces[one.name] = place.namespace
            things.append(one)
    gateway = Character("gateway", "gateway", _GATEWAY_MAC, site.controller_ipv4, site.controller_ipv6)
    return Cast(tuple(things), gateway), namespaces


def _set(stack: ExitStack, site: Site, cast: Cast, namespaces: dict[str, int], guard: Guard) -> tuple[Hands, Tap]:
    """Open the sockets of all dummies, and those of who sends and who sees."""
    dummies = Dummies()
    stack.callback(dummies.close)
    dummies.open(site.outside, tcp=OUTSIDE_TCP, udp=OUTSIDE_UDP)
    dummies.open(None, udp=(_COAP,))
    for one in cast.things:
        kind = KINDS[one.kind]
        dummies.open(namespaces[one.name], tcp=kind.tcp, udp=kind.udp)
    hands = Hands(namespaces, dummies=dummies, guard=guard)
    stack.callback(hands.close)
    tap = Tap()
    stack.callback(tap.close)
    return hands, tap


def _kept(stack: ExitStack, output: Path) -> Recording:
    recording = Recording(output)
    stack.callback(recording.close)
    return recording
