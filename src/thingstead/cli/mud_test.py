"""``thingstead mud test``: hold a MUD file against what a device did (RFC 8520 §5); no domain is needed."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from thingstead.analysis.plain_words import service
from thingstead.analysis.traffic.flow import Flow
from thingstead.analysis.traffic.handshake import Deviation, Handshakes
from thingstead.analysis.traffic.listener import Listener
from thingstead.analysis.traffic.packet_filter import PacketFilter
from thingstead.analysis.traffic.proposal import learned_url
from thingstead.analysis.traffic.site import PRIVATE, Site
from thingstead.analysis.traffic.trial import Refusal, Trial
from thingstead.analysis.traffic.verdict import Judge
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.capture import captures, mac, packets
from thingstead.cli.input import read_file
from thingstead.clock import SystemClock
from thingstead.errors import ConfigError
from thingstead.protocols.mud import parser
from thingstead.protocols.mud.rule import RuleSet, compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit

__all__ = ["TEST"]

_MOST_NAMED = 8
_FAMILIES = (4, 6)


def _test(session: Session) -> int:
    data = read_file(session.path("file"), max_bytes=parser.DEFAULT_LIMITS.max_bytes)
    policy = AdmissionPolicy("a look at a file", insecure_unsigned=True)
    rules = compile_rules(admit(data, None, policy=policy, at=SystemClock().utc()))
    paths = captures(session.path("pcap"))
    heard = [_heard(session, path) for path in paths]
    device = _device(session, [flow for _, flows, _ in heard for flow in flows])
    trial, held, outside = Trial(), 0, list[Deviation]()
    for path, (listener, flows, handshakes) in zip(paths, heard, strict=True):
        surroundings = listener.site.surroundings()
        judge = Judge(rules, surroundings)
        own = [flow for flow in flows if flow.device == device]
        # Who leads out of a site, and answers for names there, is known after the first reading.
        decide = PacketFilter(judge, surroundings, device=device)
        trial.hold(passage for one in packets(path, None) if (passage := decide.see(one)) is not None)
        count, deviations = handshakes.hold(own, judge)
        held += count
        outside += deviations
    shown = _shown(rules, device, trial, len(heard))
    if held:
        shown |= {"handshakes_with_a_profile": held, "handshakes_outside_it": [_strange(one) for one in outside]}
    session.console.show(shown)
    if rules.url == learned_url(device):
        words = (device.hex(":"), "--ip", "ADDRESS", "--model", "MODEL", "--mud", session.options["file"])
        session.console.next("thingstead adopt", *words)
    return 0


def _heard(session: Session, path: Any) -> tuple[Listener, tuple[Flow, ...], Handshakes]:
    """Each capture is a time of its own: nothing that was learned in one holds in the next."""
    listener, handshakes = Listener(Site(PRIVATE)), Handshakes()
    flows: list[Flow] = []
    for packet in packets(path, session.console):
        flows += listener.see(packet)
        handshakes.see(packet)
    return listener, (*flows, *listener.end()), handshakes


def _strange(one: Deviation) -> dict[str, Any]:
    remote = one.flow.remote_name or str(ip_address(one.flow.remote))
    return {"other_side": remote, "port": one.flow.remote_port, "profile": one.profile, "offers": list(one.offers)}


def _device(session: Session, flows: list[Flow]) -> bytes:
    found = sorted({flow.device for flow in flows})
    wanted: bytes | None = session.options["mac"]
    if wanted is not None:
        if wanted not in found:
            raise ConfigError(f"{wanted.hex(':')} sent nothing there")
        return wanted
    if len(found) != 1:
        named = ", ".join(one.hex(":") for one in found[:_MOST_NAMED]) or "nobody"
        raise ConfigError(f"expected a capture of one device, or --mac; there are packets of {named}")
    return found[0]


def _shown(rules: RuleSet, device: bytes, trial: Trial, count: int) -> dict[str, Any]:
    shares = {family: trial.share(family) for family in _FAMILIES}
    used = trial.used()
    return {
        "url": rules.url,
        "device": device.hex(":"),
        "captures": count,
        **{
            f"ipv{family}": {
                "percent_allowed": round(share.percent, 1),
                "packets": share.packets,
                "packets_allowed": share.allowed,
                "flows": share.flows,
                "flows_allowed": share.flows_allowed,
            }
            for family, share in shares.items()
            if share.packets
        },
        "packets_that_need_no_rule": trial.given,
        "packets_that_are_no_ip": trial.left_out,
        "rules": len(rules.rules),
        "rules_used": len(used),
        "denied": [_denied(one) for one in trial.refusals()],
    }


def _denied(one: Refusal) -> dict[str, Any]:
    remote = one.remote if isinstance(one.remote, str) else str(ip_address(one.remote)) if one.remote else ""
    return {
        "begun_by": "device" if one.outbound else "other side",
        "other_side": remote,
        "service": service(one.protocol, one.port),
        "flows": one.flows,
        "packets": one.packets,
        "reason": one.reason,
    }


TEST = Action(
    (
        Parameter("file", "the MUD file, JSON"),
        Parameter("--pcap", "a capture, or a directory of them", required=True),
        Parameter("--mac", "the device, where the capture has several", read=mac),
    ),
    _test,
    "Who began a conversation decides, and what it stood for in the look-ups seen before: an address that nobody\n"
    "asked for is nobody's. The gateway and the name server of the site are taken from the capture.",
)
