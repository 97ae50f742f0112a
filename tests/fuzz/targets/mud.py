"""MUD files: any bytes, entries put together from the members there are, and signatures that somebody changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fuzz.target import Cursor, Target, attempt, ensure
from tests.unit.protocols.mud.fixture import bent, with_ace
from tests.unit.protocols.tls.hello import body, dtls, extension, tls, vector
from thingstead.analysis.mud_explanation import explain
from thingstead.crypto.authority import make_authority, make_signer
from thingstead.errors import PolicyError
from thingstead.protocols.mud.file import MudFile
from thingstead.protocols.mud.parser import parse
from thingstead.protocols.mud.rule import compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit
from thingstead.protocols.mud.tls_profile import TlsProfile
from thingstead.protocols.tls.client_hello import decode

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_DAY = timedelta(days=1)
_UNSIGNED = AdmissionPolicy("fuzz", insecure_unsigned=True)
_AUTHORITY = make_authority("Maker", not_before=_AT - _DAY, not_after=_AT + _DAY)
_SIGNED = bent()
_SIGNATURE = make_signer("Signer", _AUTHORITY, not_before=_AT - _DAY, not_after=_AT + _DAY).sign_detached(_SIGNED)
_MAKERS = AdmissionPolicy("makers", anchors=(_AUTHORITY.certificate,))

_KINDS = ("ipv4-acl-type", "ipv6-acl-type", "eth-acl-type", "mixed-eth-ipv4-acl-type")
_PROFILE = {"tls-dtls-profile": [{"name": "x", "supported-tls-version": ["tls13"], "cipher-suite": [4865]}]}
_MEMBERS: tuple[tuple[str, str, Any], ...] = (
    ("ipv4", "protocol", 6),
    ("ipv4", "destination-ipv4-network", "192.0.2.1"),
    ("ipv4", "source-ipv4-network", "192.0.2.0/24"),
    ("ipv4", "ietf-acldns:dst-dnsname", "a.example"),
    ("ipv6", "ietf-acldns:src-dnsname", "a.example"),
    ("ipv6", "destination-ipv6-network", "ff02::fb/128"),
    ("ipv6", "flow-label", 1),
    ("tcp", "destination-port", {"operator": "neq", "port": 23}),
    ("tcp", "source-port", {"lower-port": 1, "upper-port": 9}),
    ("tcp", "ietf-mud:direction-initiated", "from-device"),
    ("udp", "destination-port", {"operator": "lte", "port": 1023}),
    ("icmp", "type", 8),
    ("eth", "ethertype", "0x0800"),
    ("eth", "destination-mac-address", "ff:ff:ff:ff:ff:ff"),
    ("ietf-mud:mud", "local-networks", [None]),
    ("ietf-mud:mud", "my-controller", [None]),
    ("ietf-mud:mud", "model", "https://a.example/x"),
    ("ietf-acl-tls:client-profiles", "tls-dtls-profile", _PROFILE["tls-dtls-profile"]),
    # Nobody's: whatever stands beside them, an entry with one of these is left out.
    ("ipv4", "colour", 1),
    ("tcp", "colour", [None]),
    ("maker:phase", "moon", 1),
)
_FIRST_UNKNOWN = len(_MEMBERS) - 3
_ODD: tuple[Any, ...] = (None, True, -1, 65536, 1.5, "", "\u0663", "0x0806", [], [None], {}, {"port": 1}, "neq")


def _file(data: bytes) -> None:
    """What is read explains itself: each finding has its place, each rule its words, and none is without an entry."""
    file = attempt(lambda: parse(data))
    if file is not None:
        _check(file, data)


def _check(file: MudFile, data: bytes) -> None:
    ensure(all(one.place.startswith("/") and one.spec for one in file.findings), "a finding without its place")
    rules = compile_rules(admit(data, None, policy=_UNSIGNED, at=_AT))
    told = [one for one in explain(file) if one.rule]
    ensure(len({one.rule for one in told}) <= len(rules.rules), "a rule that no entry has")
    ensure(rules.signer is None, "a signature out of nowhere")


def _entry(data: bytes) -> None:
    """An entry with a condition that nobody knows opens nothing."""
    chosen = Cursor(data)
    matches: dict[str, dict[str, Any]] = {}
    is_unknown = False
    kind, acl = _KINDS[chosen.number(len(_KINDS))], chosen.number(2)
    while not chosen.is_empty:
        number = chosen.number(len(_MEMBERS))
        container, name, value = _MEMBERS[number]
        odd = chosen.number(4 * len(_ODD))
        matches.setdefault(container, {})[name] = _ODD[odd] if odd < len(_ODD) else value
        is_unknown |= number >= _FIRST_UNKNOWN
    document = with_ace(matches, acl=acl, kind=kind)
    file = attempt(lambda: parse(document))
    if file is not None:
        _check(file, document)
        ensure(not (is_unknown and file.entries), "a condition was passed over")
        ensure(bool(file.entries or file.findings), "an entry vanished")


def _signature(data: bytes) -> None:
    """Whatever stands beside the maker's file is nobody's signature but the maker's; and it signs that file alone."""
    admitted = attempt(lambda: admit(_SIGNED, data, policy=_MAKERS, at=_AT))
    ensure(admitted is None or admitted.signer == "CN=Signer", "a stranger signed")
    try:
        other = attempt(lambda: admit(_SIGNED + b" ", data, policy=_MAKERS, at=_AT))
    except PolicyError:
        return
    ensure(other is None, "a signature over another file")


def _handshake(data: bytes) -> None:
    """A client hello deviates from no profile that says nothing, and in no more than it offers from one that does."""
    hello = attempt(lambda: decode(data))
    if hello is not None:
        ensure(TlsProfile("bare").deviations(hello) == (), "a deviation from nothing")
        ensure(len(_STRICT.deviations(hello)) <= len(data), "offers out of nowhere")


_STRICT = TlsProfile("strict", ("tls13",), (4865,), (10,), (29,), (1027,), (2052,), (1,), ("h2",), (2,))
_ALPN = extension(16, vector(2, vector(1, b"h2")))
_FULL = json.loads(bent())
_FULL["ietf-mud:mud"] |= {
    "extensions": ["transparency"],
    "mudtx:transparency": {"sboms": [{"version-info": "1", "sbom-url": "https://a.example/s"}], "vuln-url": []},
    "ietf-mud-tls:is-tls-dtls-profile-supported": True,
}

TARGETS = (
    Target("mud.file", _file, (bent(), with_ace({"udp": {}}), json.dumps(_FULL).encode())),
    Target("mud.entry", _entry, tuple([bytes((kind, 0, member, 200)) for kind in range(4) for member in range(21)])),
    Target("mud.signature", _signature, (_SIGNATURE,)),
    Target("mud.handshake", _handshake, (tls(body(_ALPN)), dtls(body(_ALPN, cookie=b"x")))),
)
