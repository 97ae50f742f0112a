"""The controller's parts that look at what things do on the network, put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address

from thingstead.analysis.talk import HERE
from thingstead.controller.brownfield import Ground
from thingstead.controller.conductor import Conductor
from thingstead.controller.config import ControllerConfig
from thingstead.controller.detector_memory import DOCUMENTS as REMEMBERED
from thingstead.controller.detector_memory import DetectorMemory
from thingstead.controller.drop_watch import DropWatch
from thingstead.controller.engines import Planes
from thingstead.controller.exposure_scan import DOCUMENTS as DOORS
from thingstead.controller.exposure_scan import ExposureScan
from thingstead.controller.exposure_scan import Limits as Knocks
from thingstead.controller.flow_history import DOCUMENTS as FLOWS
from thingstead.controller.flow_history import FlowHistory, Limits
from thingstead.controller.flow_watch import FlowWatch
from thingstead.controller.foundation import Foundation
from thingstead.controller.mud_intake import DOCUMENTS as URLS
from thingstead.controller.mud_intake import MudIntake
from thingstead.controller.neighbourhood import Neighbourhood
from thingstead.controller.network import local_networks
from thingstead.controller.operation_network import NetworkAnswers
from thingstead.controller.owner import Owner
from thingstead.controller.response import DOCUMENTS as RESPONSES
from thingstead.controller.response import Responder
from thingstead.controller.second_place import SecondPlace
from thingstead.controller.traffic_watch import Surroundings, TrafficWatch
from thingstead.controller.virtual_patch import VirtualPatches
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.storage.records import PlaneRecords

__all__ = ["Lookout", "compose_lookout", "doors", "ground"]

_SECOND, _MINUTE, _NOW_AND_THEN = 1.0, 60.0, 300.0
_TCP, _UDP, _DNS = 6, 17, 53
_RETRY = 0.05
"""It waits by itself; this is between two detections that could not be written down."""


@dataclass(frozen=True, slots=True)
class Lookout:
    """Made by `compose_lookout`.

    Attributes:
        responder: has detections cut things off, as far as the policy says.
        traffic: shows frames to detectors; None where the settings name no interface.
        memory: what detectors remember over a restart; likewise.
        neighbourhood: which thing is behind an address.
        history: whom things talked to.
        flows: follows conversations for it.
        drops: what the kernel dropped.
        answers: to what people ask about that, and the owner's own rules.
        patches: who is behind rules against a vulnerability.
        exposure: which services of things answer a stranger.
        urls: where things say that their MUD files are.
    """

    responder: Responder
    traffic: TrafficWatch | None
    memory: DetectorMemory | None
    neighbourhood: Neighbourhood
    history: FlowHistory
    flows: FlowWatch
    drops: DropWatch
    answers: NetworkAnswers
    patches: VirtualPatches
    exposure: ExposureScan
    urls: MudIntake

    @property
    def chores(self) -> tuple[tuple[float, Callable[[], Awaitable[object]]], ...]:
        """Work that comes round, each with its seconds."""
        chores = (
            (_SECOND, self.responder.tidy),
            (_SECOND, self.neighbourhood.look),
            (_SECOND, self.flows.look),
            (_SECOND, self.drops.look),
            (_SECOND, self.urls.look),
            (_MINUTE, self.history.flush),
            (_MINUTE, self.patches.look),
            (_MINUTE, self.exposure.look),
        )
        if self.traffic is None or self.memory is None:
            return chores
        return *chores, (_SECOND, self.traffic.look), (_RETRY, self.traffic.answer), (_NOW_AND_THEN, self.memory.keep)


def compose_lookout(
    foundation: Foundation, planes: Planes, store: SecondPlace, register: Register, conductor: Conductor, owner: Owner
) -> Lookout:
    """Put them together.

    Raises:
        StorageError: what is kept cannot be read.
    """
    responder = Responder(
        conductor,
        register,
        records=PlaneRecords(PlaneName.NETWORK, store, prefix=RESPONSES),
        policy=lambda: owner.policy.response,
        clock=foundation.clock,
    )
    store.listen(responder.follow)
    traffic = _traffic(foundation, planes, register, responder)
    network, days, clock = planes.network, foundation.config.watch.flow_days, foundation.clock
    neighbourhood = Neighbourhood(planes.whereabouts.located, clock=clock)
    own = {ip_address(one).packed for one in _own(foundation)}
    history = FlowHistory(
        PlaneRecords(PlaneName.NETWORK, store, prefix=FLOWS),
        explain=network.explain,
        named=lambda address: neighbourhood.name(address) or (HERE if address in own else ""),
        clock=clock,
        limits=Limits(days=days),
    )
    flows = FlowWatch(neighbourhood, history, clock=clock, apart=_gateways(foundation))
    history.going.append(flows.open)
    if traffic is not None:
        traffic.listeners.append(flows.see)
    patches = VirtualPatches(planes.software.exposures, rules=network.owner_rules, put=network.put_rule)
    local = local_networks(foundation.config.network)
    answers = NetworkAnswers(
        network, history, patches, register, addresses=neighbourhood.devices, local=local, days=days, clock=clock
    )
    drops = DropWatch(
        network.drops,
        neighbourhood,
        history,
        is_cut_off=lambda thing: register.thing(thing).restriction is not Restriction.NONE,
        names_of=flows.names_of,
    )
    exposure = _exposure(foundation, planes, store, register)
    urls = MudIntake(
        register,
        conductor,
        network,
        records=PlaneRecords(PlaneName.IDENTITY, store, prefix=URLS),
        thing_at=neighbourhood.thing_at,
        clock=clock,
        relays=_gateways(foundation),
    )
    if traffic is not None:
        traffic.listeners.append(urls.see)
    memory = None
    if traffic is not None:
        memory = DetectorMemory(traffic, PlaneRecords(PlaneName.NETWORK, store, prefix=REMEMBERED))
    return Lookout(responder, traffic, memory, neighbourhood, history, flows, drops, answers, patches, exposure, urls)


def _exposure(foundation: Foundation, planes: Planes, store: SecondPlace, register: Register) -> ExposureScan:
    config = foundation.config
    return ExposureScan(
        foundation.stranger,
        planes.whereabouts.located,
        register,
        explain=planes.network.explain,
        mode=lambda: planes.network.mode,
        own=_own(foundation),
        doors=doors(config),
        local=local_networks(config.network),
        records=PlaneRecords(PlaneName.NETWORK, store, prefix=DOORS),
        clock=foundation.clock,
        limits=Knocks(every=timedelta(hours=config.watch.scan_hours)),
    )


def _own(foundation: Foundation) -> tuple[str, ...]:
    """Addresses of this machine, the controller's first."""
    seen = () if foundation.tap is None else foundation.tap.addresses
    return tuple(dict.fromkeys((foundation.config.coap.host, *sorted(str(ip_address(one)) for one in seen))))


def ground(foundation: Foundation) -> Ground:
    """Where devices may be that prove nothing."""
    own = frozenset([ip_address(one).packed for one in _own(foundation)])
    return Ground(local_networks(foundation.config.network), own, _gateways(foundation))


def doors(config: ControllerConfig) -> frozenset[tuple[int, int]]:
    """Protocol and port of what this domain serves itself."""
    doors = {(_UDP, config.coap.port), (_TCP, config.ddi.served_port or 0)}
    return frozenset(doors | ({(_UDP, _DNS), (_TCP, _DNS)} if config.names.enabled else set()))


def _traffic(foundation: Foundation, planes: Planes, register: Register, responder: Responder) -> TrafficWatch | None:
    if foundation.tap is None:
        return None
    watch = foundation.config.watch
    surroundings = Surroundings(
        register,
        planes.whereabouts.located,
        interval=planes.data.interval,
        longest=timedelta(seconds=watch.interval_seconds),
        gateways=_named(foundation.config),
        local=local_networks(foundation.config.network),
        named=planes.network.names,
        hold_ports=foundation.config.network.hold_ports,
        explain=planes.network.explain,
    )
    traffic = TrafficWatch(foundation.tap, surroundings, alarm=responder.alarm, clock=foundation.clock)
    planes.software.on_install.append(traffic.note)
    return traffic


def _gateways(foundation: Foundation) -> frozenset[bytes]:
    """Who is nobody's device: what they send is somebody else's."""
    named = _named(foundation.config)
    return named if foundation.tap is None else named | foundation.tap.macs


def _named(config: ControllerConfig) -> frozenset[bytes]:
    return frozenset([bytes.fromhex(one.replace(":", "")) for one in config.watch.gateways])
