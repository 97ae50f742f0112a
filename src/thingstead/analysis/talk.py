"""What a thing talked about, as an owner reads it: whom, how much, why that was allowed, and what would change it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_address

from thingstead.analysis.plain_words import service
from thingstead.domain.contact import Contact, merged
from thingstead.domain.owner_rule import ANYBODY, INTERNET, LOCAL, OwnerRule, Way, as_prefix
from thingstead.identifier import ThingId
from thingstead.protocols.mud.file import Prefix

__all__ = ["HERE", "LEARNED", "drop_words", "gathered", "in_words", "is_met", "undo"]

LEARNED = "learned"
"""The kernel's word for what no rule allows and a thing may do all the same while it is being learned."""

HERE = "this domain"
"""Who is behind the domain's own addresses."""

_DROPS = {
    "barred": "it is cut off: nothing of it passes, whatever rules allow",
    "spoofed": "it was sent from an address that is not bound to this interface",
    "rogue": "only the site's own servers may say such things of others: who routes, who is where, whose flow failed",
    "sideways": "on its segment nothing passes from one to another that no rule names",
    "stranger": "the domain does not know who sent it",
    "too_much": "it sent more than it may in so short a time",
    "unbound": "it was sent from {}, which is not among the addresses that the domain has of it",
    "elsewhere": "it was the other side that could not: `thingstead network drops {}` says why",
    "late": "it was no part of an open conversation; one that begins now is allowed",
}
_TCP, _UDP = 6, 17
_MANY = 5
_UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3), ("B", 0))


def drop_words(cause: str) -> str:
    """Why the kernel dropped a packet, where that is not a matter of who may talk to whom; else empty.

    A cause is a word, and for some what it is about behind that.
    """
    word, _, what = cause.partition(" ")
    return _DROPS.get(word, "").format(what)


def in_words(contact: Contact) -> str:
    """One sentence: whom, by what, how much; and the reason."""
    by = f" by {service(contact.protocol, contact.port)}" if contact.protocol is not None else ""
    tried = f"it tried to contact {contact.who}" if contact.outbound else f"{contact.who} tried to contact it"
    if contact.allowed:
        did = f"it contacted {contact.who}" if contact.outbound else f"it was contacted by {contact.who}"
        times = "once" if contact.flows == 1 else f"{contact.flows} times"
        if not (contact.packets_in and contact.packets_out):
            # By UDP somebody may have listened all the same.
            begun = tried if contact.protocol == _TCP else did
            octets = _octets(max(contact.octets_out, contact.octets_in))
            return f"{begun}{by}, {times}: {octets}, and no answer; {contact.why}"
        sent, got = _octets(contact.octets_out), _octets(contact.octets_in)
        return f"{did}{by}, {times}: {sent} sent, {got} received; {contact.why}"
    seen = contact.dropped or contact.packets
    what = "dropped" if contact.dropped else "seen"
    return f"{tried}{by}: {seen} packet{'s' * (seen != 1)} {what}; {contact.why}"


def gathered(contacts: Sequence[Contact]) -> list[Contact]:
    """Refused attempts of one at many ports as one row: who looks for an open door must not hide what else there is.

    No command follows from such a row, for nobody wants all of it.
    """
    groups: dict[tuple[object, ...], list[Contact]] = {}
    for one in contacts:
        is_attempt = not one.allowed and one.port is not None
        kind = (one.outbound, one.who, one.protocol, one.by, one.rule)
        groups.setdefault(kind if is_attempt else (id(one),), []).append(one)
    rows: list[Contact] = []
    for group in groups.values():
        rows += group if len(group) < _MANY else [_as_one(group)]
    return rows


def _as_one(group: Sequence[Contact]) -> Contact:
    ports = sorted(one.port or 0 for one in group)
    some = ", ".join(map(str, ports[:3]))
    why = f"at {len(ports)} ports such as {some} (--each shows all); of one of them: {group[0].why}"
    return replace(merged([replace(one, port=None) for one in group])[0], address="", why=why)


def undo(thing: ThingId, contact: Contact) -> str:
    """The command that would let through what was refused; empty where none would."""
    if contact.allowed or not contact.address:
        return ""
    if contact.rule:
        return f"thingstead network revoke {contact.rule}"
    word, _, what = contact.by.partition(" ")
    if word == "elsewhere":
        return f"thingstead network drops {what}"
    if contact.by == "barred":
        return f"thingstead thing restore {thing}"
    # What stays on a segment is decided group by group: one that somebody may send to is carried there.
    is_to_group = contact.by == "sideways" and contact.outbound and _is_group(contact)
    if not (contact.by == "nobody" or is_to_group) or contact.protocol is None:
        return ""
    to = contact.who if "." in contact.who and as_prefix(contact.who) is None else contact.address
    port = "" if contact.port is None else f" --port {contact.port}"
    way = "" if contact.outbound else " --way in"
    return f"thingstead network allow {to} --thing {thing} --protocol {_name(contact.protocol)}{port}{way}"


def is_met(rule: OwnerRule, contact: Contact, *, local: Sequence[Prefix]) -> bool:
    """Whether a rule about this thing would be about such a conversation."""
    ways = {Way.OUT} if contact.outbound else {Way.IN}
    if rule.way not in {*ways, Way.BOTH} or (rule.protocol is not None and rule.protocol != contact.protocol):
        return False
    port = contact.port
    if port is not None and not rule.ports[0] <= port <= rule.ports[1]:
        return False
    return _is_remote(rule.remote, contact, local)


def _is_group(contact: Contact) -> bool:
    try:
        return contact.protocol == _UDP and ip_address(contact.address).is_multicast
    except ValueError:
        return False


def _is_remote(remote: str, contact: Contact, local: Sequence[Prefix]) -> bool:
    if remote == ANYBODY:
        return True
    prefix = as_prefix(remote)
    if prefix is None and remote not in {LOCAL, INTERNET}:
        return contact.who == remote
    try:
        address = ip_address(contact.address)
    except ValueError:
        return False
    if prefix is not None:
        return address in prefix
    return _is_in(contact.address, local) is (remote == LOCAL)


def _is_in(address: str, prefixes: Iterable[Prefix]) -> bool:
    return any(ip_address(address) in prefix for prefix in prefixes)


def _octets(count: int) -> str:
    unit, size = next((unit, size) for unit, size in _UNITS if count >= size)
    return f"{count} B" if size <= 1 else f"{count / size:.1f} {unit}"


def _name(protocol: int) -> str:
    return {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}.get(protocol, str(protocol))
