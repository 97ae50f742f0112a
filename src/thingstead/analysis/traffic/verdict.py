"""What the rules of a MUD file say of a conversation, without a kernel (RFC 8520 §5): allowed by which, or denied why.

The rules are about who may begin; what follows belongs to it, as in a filter that keeps state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from thingstead.analysis.traffic.flow import Flow
from thingstead.protocols.mud.file import ANY_PORT, Direction, PortRange, Prefix, RemoteKind
from thingstead.protocols.mud.rule import Rule, RuleSet, Surroundings

__all__ = ["Allowed", "Denied", "Judge", "Opening", "verdict"]

_FAMILIES = {4: 4, 16: 6}
_PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}


@dataclass(frozen=True, slots=True)
class Opening:
    """What is asked of the rules, by one packet.

    Attributes:
        outbound: the device sent it.
        remote: packed IP address of the other side, or its link-layer address where there is no IP.
        names: what that address stands for by now.
        protocol: of IP; None for the rest.
        remote_port: on the other side; None where the protocol has none.
        device_port: on the device.
        icmp: type and code.
    """

    outbound: bool
    remote: bytes
    names: tuple[str, ...]
    protocol: int | None
    remote_port: int | None
    device_port: int | None
    icmp: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Allowed:
    """A rule lets it begin.

    Attributes:
        rule: the first that does.
    """

    rule: Rule


@dataclass(frozen=True, slots=True)
class Denied:
    """No rule lets it begin.

    Attributes:
        reason: one sentence for the owner.
    """

    reason: str


class Judge:
    """The rules of one thing with what they mean here, looked up once.

    Args:
        rules: of its file.
        surroundings: the local meaning. A rule by DNS name holds for what the name stood for when the conversation
            began (`Flow.names`), and for what `surroundings.names` says; never for a neighbour, whoever answered.
    """

    def __init__(self, rules: RuleSet, surroundings: Surroundings) -> None:
        self._local = surroundings.local_networks
        self._rules: defaultdict[tuple[bool, int], list[tuple[Rule, tuple[Prefix, ...]]]] = defaultdict(list)
        for rule in rules.rules:
            prefixes = surroundings.resolve(rule, authority=rules.authority)
            self._rules[rule.opened_by is Direction.FROM_DEVICE, rule.family].append((rule, prefixes))

    def judge(self, flow: Flow | Opening) -> Allowed | Denied:
        """Whether a conversation may begin as it did."""
        family = _FAMILIES.get(len(flow.remote)) if flow.protocol is not None else None
        if family is None:
            return Denied("it is not IP, of which the rules speak")
        candidates = self._rules.get((flow.outbound, family), [])
        there = [rule for rule, prefixes in candidates if self._is_remote(rule, prefixes, flow)]
        for rule in there:
            if _is_service(rule, flow):
                return Allowed(rule)
        return Denied(self._reason(flow, family, [rule for rule, _ in candidates], there))

    def _is_remote(self, rule: Rule, prefixes: tuple[Prefix, ...], flow: Flow | Opening) -> bool:
        if rule.remote.kind is RemoteKind.DNS_NAME and rule.remote.name in flow.names:
            return not _is_in(flow.remote, self._local)
        return _is_in(flow.remote, prefixes)

    def _reason(self, flow: Flow | Opening, family: int, candidates: Sequence[Rule], there: Sequence[Rule]) -> str:
        way = "contact anybody" if flow.outbound else "be contacted by anybody"
        if not candidates:
            return f"no rule lets it {way} by IPv{family}"
        if there:
            allowed = ", ".join(dict.fromkeys([_service_of_rule(rule) for rule in there]))
            own = flow.device_port if flow.outbound else flow.remote_port
            # Where a rule asks for the port that a conversation comes from, it may be that alone.
            is_asked = own is not None and any(_ports(rule)[1] != ANY_PORT for rule in there)
            this = _service_of_flow(flow) + (f" from port {own}" if is_asked else "")
            return f"there it is allowed {allowed}, and this was {this}"
        reverse = self._rules.get((not flow.outbound, family), [])
        if any(self._is_remote(rule, prefixes, flow) and _is_service(rule, flow) for rule, prefixes in reverse):
            begins = "the other side" if flow.outbound else "the thing itself"
            return f"only {begins} may begin this"
        is_near = _is_in(flow.remote, self._local)
        unseen = f"{ip_address(flow.remote)}" + ("" if is_near else ", of which no look-up was seen")
        who = f"{flow.names[0]}" if flow.names else unseen
        if flow.names and len(set(flow.names)) > 1:
            who += f" (also {', '.join(flow.names[1:3])})"
        return f"no rule names {who}"


def verdict(rules: RuleSet, surroundings: Surroundings, flow: Flow) -> Allowed | Denied:
    """What the rules say of one conversation; of many, `Judge` says it faster."""
    return Judge(rules, surroundings).judge(flow)


def _is_in(address: bytes, prefixes: tuple[Prefix, ...]) -> bool:
    return bool(prefixes) and any(ip_address(address) in prefix for prefix in prefixes)


def _is_service(rule: Rule, flow: Flow | Opening) -> bool:
    if rule.protocol is not None and rule.protocol != flow.protocol:
        return False
    if rule.icmp is not None:
        kind, code = flow.icmp or (None, None)
        if (rule.icmp.type is not None and rule.icmp.type != kind) or (rule.icmp.code not in {None, code}):
            return False
    # A protocol without ports meets a rule on any port; a rule on one port means a protocol that has them.
    remote, device = flow.remote_port or 0, flow.device_port or 0
    return (
        rule.remote_ports.first <= remote <= rule.remote_ports.last
        and rule.device_ports.first <= device <= rule.device_ports.last
    )


def _service_of_rule(rule: Rule) -> str:
    asked, own = _ports(rule)
    said = _protocol(rule.protocol) + ("" if asked == ANY_PORT else f" port {asked}")
    return said if own == ANY_PORT else f"{said} from port {own}"


def _ports(rule: Rule) -> tuple[PortRange, PortRange]:
    """The port that is contacted first, on whichever side, and the one that begins."""
    begins = rule.opened_by is Direction.FROM_DEVICE
    return (rule.remote_ports, rule.device_ports) if begins else (rule.device_ports, rule.remote_ports)


def _service_of_flow(flow: Flow | Opening) -> str:
    port = flow.remote_port if flow.outbound else flow.device_port
    return _protocol(flow.protocol) if port is None else f"{_protocol(flow.protocol)} port {port}"


def _protocol(number: int | None) -> str:
    return "any protocol" if number is None else _PROTOCOLS.get(number, f"IP protocol {number}")
