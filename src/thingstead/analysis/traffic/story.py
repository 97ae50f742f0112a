"""Whom a device talked to, how much and what for, in sentences for its owner (RFC 8576 §5.6; R-81)."""

from __future__ import annotations

from ipaddress import ip_address

from thingstead.analysis.plain_words import service
from thingstead.analysis.traffic.inventory import Contact

__all__ = ["amount", "sentence", "who"]

_TCP, _UDP = 6, 17
_PURPOSES = {
    (_UDP, 53): "to look up names",
    (_TCP, 53): "to look up names",
    (_UDP, 67): "to get an address",
    (_UDP, 68): "to give it an address",
    (_UDP, 123): "to set its clock",
    (_UDP, 137): "to find others by name",
    (_UDP, 1900): "to find others and be found",
    (_UDP, 3702): "to find others and be found",
    (_UDP, 5353): "to find others and be found",
    (_UDP, 5355): "to find others by name",
    (_TCP, 23): "to log in, in clear",
    (_TCP, 22): "to log in",
    (_TCP, 25): "to send mail",
    (_TCP, 80): "to read or send something in clear",
    (_TCP, 443): "to read or send something unseen",
    (_UDP, 443): "to read or send something unseen",
    (_TCP, 1883): "to pass messages in clear",
    (_TCP, 8883): "to pass messages unseen",
}
_UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))


def sentence(contact: Contact) -> str:
    """One sentence: who began, with whom, how often, how much, what for."""
    times = "once" if contact.flows == 1 else f"{contact.flows} times"
    what = service(contact.protocol, contact.port)
    why = _PURPOSES.get((contact.protocol, contact.port or 0), "its maker has to say what for")
    begun = f"it contacted {who(contact)}" if contact.outbound else f"{who(contact)} contacted it"
    much = f"{amount(contact.octets_out)} out, {amount(contact.octets_in)} in"
    return f"{begun} {times} by {what}, {why}: {much}{'' if contact.is_answered else ', unanswered'}"


def who(contact: Contact) -> str:
    """The other side by its name, or else its address."""
    if contact.name:
        return contact.name
    return str(ip_address(contact.remote)) if contact.remote else "many others"


def amount(octets: int) -> str:
    """Rounded, with its unit."""
    for least, unit in _UNITS:
        if octets >= least:
            return f"{octets / least:.1f} {unit}"
    return f"{octets} B"
