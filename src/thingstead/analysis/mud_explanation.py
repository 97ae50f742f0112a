"""What a MUD file says, entry by entry and in words, and where a reader should look twice."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.analysis.plain_words import in_words
from thingstead.protocols.mud.file import ANY_PORT, Direction, MudFile, RemoteKind
from thingstead.protocols.mud.rule import Rule, rule_of

__all__ = ["Explained", "explain", "remark"]

_REPLIES = "describes answers to what the other side's entry lets somebody open"
_CLEAR = {(6, 21): "FTP", (6, 23): "telnet", (6, 80): "HTTP", (6, 1883): "MQTT", (6, 554): "RTSP", (17, 69): "TFTP"}


@dataclass(frozen=True, slots=True)
class Explained:
    """One entry that accepts.

    Attributes:
        entry: its name in the file.
        place: JSON pointer.
        words: one sentence.
        rule: what it compiles to; empty for one that opens nothing.
        remark: why to look twice; empty for nothing.
    """

    entry: str
    place: str
    words: str
    rule: str
    remark: str


def explain(file: MudFile) -> tuple[Explained, ...]:
    """Every accepting entry, in the order of the file; what is left out stands in its findings."""
    explained = []
    for entry in file.entries:
        rule = rule_of(entry)
        if rule is None:
            explained.append(Explained(entry.name, entry.place, _REPLIES, "", ""))
            continue
        (words,) = in_words([rule])
        expected = "".join(f", {one}" for one in rule.expectations)
        explained.append(Explained(entry.name, entry.place, words + expected, str(rule), remark(rule)))
    return tuple(explained)


def remark(rule: Rule) -> str:
    """Why a rule deserves a second look, or nothing."""
    inbound = rule.opened_by is Direction.TO_DEVICE
    if rule.remote.kind is RemoteKind.ANY:
        return "everybody on the Internet may open it" if inbound else "it may go anywhere"
    ports = rule.device_ports if inbound else rule.remote_ports
    clear = _CLEAR.get((rule.protocol or 0, ports.first)) if ports.first == ports.last else None
    if clear is not None:
        return f"{clear} is read and changed by whoever is on the way"
    if rule.protocol is None:
        return "every protocol"
    if rule.protocol in (6, 17) and ports == ANY_PORT and inbound and rule.remote_ports == ANY_PORT:
        return "every port of the thing"
    return ""
