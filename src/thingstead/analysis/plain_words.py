"""Rules of a MUD file as an owner reads them: who may be contacted, and what for."""

from __future__ import annotations

from collections.abc import Iterable

from thingstead.analysis.traffic.site import GATEWAY_CLASS
from thingstead.protocols.mud.file import ANY_PORT, Direction, PortRange, RemoteKind
from thingstead.protocols.mud.rule import DNS_CLASS, NTP_CLASS, Rule

__all__ = ["in_words", "service"]

_WHO = {
    RemoteKind.ANY: "anybody on any network",
    RemoteKind.LOCAL_NETWORKS: "anything in the local network",
    RemoteKind.LOCAL_BROADCAST: "everybody in the local network at once",
    RemoteKind.MY_CONTROLLER: "this domain's controller",
    RemoteKind.SAME_MANUFACTURER: "things of the same maker here",
}
_CLASSES = {
    DNS_CLASS: "the local name server",
    NTP_CLASS: "the local time server",
    GATEWAY_CLASS: "the local gateway",
}
_PROTOCOLS = {1: "ping and its kin (ICMP)", 6: "TCP", 17: "UDP", 58: "ping and its kin (ICMPv6)"}
_SERVICES = {
    (6, 22): "remote login", (6, 23): "remote login in clear", (6, 25): "mail", (17, 53): "names", (6, 53): "names",
    (6, 80): "web in clear", (17, 123): "time", (6, 443): "web", (17, 443): "web", (6, 853): "names",
    (6, 1883): "MQTT in clear", (6, 8883): "MQTT", (17, 5353): "local names", (17, 1900): "local discovery",
    (17, 5683): "CoAP", (17, 5684): "CoAP over DTLS",
}  # fmt: skip


def in_words(rules: Iterable[Rule]) -> list[str]:
    """One sentence for each right, both IP versions in one."""
    return list(dict.fromkeys([_sentence(rule) for rule in rules]))


def service(protocol: int | None, port: int | None) -> str:
    """What is asked for, by protocol and the port that is asked."""
    if protocol is None:
        return "no IP"
    name = _PROTOCOLS.get(protocol, f"IP protocol {protocol}")
    return name if port is None else f"{name} port {port}{_service(protocol, PortRange(port, port))}"


def _sentence(rule: Rule) -> str:
    who = _who(rule)
    what = _what(rule)
    if rule.opened_by is Direction.FROM_DEVICE:
        return f"it may contact {who}{what}"
    return f"it may be contacted by {who}{what}"


def _who(rule: Rule) -> str:
    remote = rule.remote
    match remote.kind:
        case RemoteKind.DNS_NAME:
            return remote.name
        case RemoteKind.PREFIX if remote.prefix is not None and remote.prefix.num_addresses == 1:
            return str(remote.prefix.network_address)
        case RemoteKind.PREFIX:
            return str(remote.prefix)
        case RemoteKind.CONTROLLER:
            return _CLASSES.get(remote.name, f"whom the owner named as {remote.name}")
        case RemoteKind.MANUFACTURER:
            return f"things of {remote.name} here"
        case RemoteKind.MODEL:
            return f"things of the model {remote.name} here"
        case RemoteKind.LOCAL_NETWORKS if remote.prefix is not None:
            return f"{remote.prefix} in the local network"
        case _:
            return _WHO[remote.kind]


def _what(rule: Rule) -> str:
    """Protocol and ports, the one that is contacted first, on whichever side; a type of ICMP."""
    if rule.protocol is None:
        return ", by any protocol"
    begins = rule.opened_by is Direction.FROM_DEVICE
    asked, own = (rule.remote_ports, rule.device_ports) if begins else (rule.device_ports, rule.remote_ports)
    words = f", by {_PROTOCOLS.get(rule.protocol, f'IP protocol {rule.protocol}')}"
    if asked != ANY_PORT:
        words += f" on port {asked}{_service(rule.protocol, asked)}"
    if own != ANY_PORT:
        words += f", from port {own}"
    if rule.icmp is not None and rule.icmp.type is not None:
        words += f", type {rule.icmp.type}"
    return words


def _service(protocol: int, ports: PortRange) -> str:
    known = _SERVICES.get((protocol, ports.first)) if ports.first == ports.last else None
    return "" if known is None else f" ({known})"
