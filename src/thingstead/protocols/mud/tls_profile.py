"""How a thing's TLS and DTLS handshakes look, by the word of its maker (RFC 9761 §5): read, kept, and said.

A packet filter sees addresses and ports alone, so an entry with a profile is kept without it, which a finding tells;
whoever sees client hellos asks the profile what they offer beyond it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from thingstead.protocols.json.place import Node
from thingstead.protocols.tls.client_hello import ClientHello

__all__ = ["TlsProfile", "parse_profiles"]

_SPEC = "RFC 9761 §5"
_MOST_PROFILES = 16
_MOST_VALUES = 128
_LONGEST_TEXT = 256
_LONGEST_ANCHOR = 1 << 16
_ON_THE_WIRE = {"tls12": 0x0303, "tls13": 0x0304, "dtls12": 0xFEFD, "dtls13": 0xFEFC}
_VERSIONS = {"tls12": "TLS 1.2", "tls13": "TLS 1.3", "dtls12": "DTLS 1.2", "dtls13": "DTLS 1.3"}


@dataclass(frozen=True, slots=True)
class TlsProfile:
    """One of a list of which a handshake fits one; an empty part says nothing.

    Attributes:
        label: the maker's name for it.
        versions: ``tls12``, ``tls13``, ``dtls12``, ``dtls13``.
        cipher_suites: offered at most, by IANA's number.
        extensions: in a client hello at most.
        groups: for key exchange.
        signature_algorithms: for handshakes.
        certificate_algorithms: for certificates, where they are others.
        psk_modes: key exchange modes of pre-shared keys.
        protocols: of ALPN.
        compressions: of certificates.
        authorities: names of certificate authorities that a client hello lists.
        anchors: how many trust anchors the server's certificate may chain to; 0 where it says none.
    """

    label: str
    versions: tuple[str, ...] = ()
    cipher_suites: tuple[int, ...] = ()
    extensions: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    signature_algorithms: tuple[int, ...] = ()
    certificate_algorithms: tuple[int, ...] = ()
    psk_modes: tuple[int, ...] = ()
    protocols: tuple[str, ...] = ()
    compressions: tuple[int, ...] = ()
    authorities: tuple[str, ...] = ()
    anchors: int = 0

    @property
    def name(self) -> str:
        """Of what kind this expectation is."""
        return "tls-dtls-profile"

    def deviations(self, hello: ClientHello) -> tuple[str, ...]:
        """What a client hello offers that this profile does not name; a part that says nothing allows everything."""
        found = []
        for what, offered, named in (
            ("version", hello.versions, [_ON_THE_WIRE[one] for one in self.versions]),
            ("cipher suite", hello.cipher_suites, self.cipher_suites),
            ("extension", hello.extensions, self.extensions),
            ("group", hello.groups, self.groups),
            ("signature algorithm", hello.signature_algorithms, self.signature_algorithms),
            ("certificate algorithm", hello.certificate_algorithms, self.certificate_algorithms),
            ("key exchange mode", hello.psk_modes, self.psk_modes),
            ("certificate compression", hello.compressions, self.compressions),
        ):
            found += [f"{what} 0x{one:04x}" for one in offered if named and one not in named]
        known = {one.encode() for one in self.protocols} or set(hello.protocols)
        found += [f"protocol {one.decode('ascii', 'replace')!r}" for one in hello.protocols if one not in known]
        return tuple(found)

    def __str__(self) -> str:
        versions = ", ".join(_VERSIONS[one] for one in self.versions) or "TLS"
        suites = (
            f", cipher suites {', '.join(f'0x{one:04x}' for one in self.cipher_suites)}" if self.cipher_suites else ""
        )
        return f"by {versions}{suites} (profile {self.label})"


def parse_profiles(node: Node, report: Callable[[Node, str, str], None]) -> tuple[TlsProfile, ...]:
    """The container ``client-profiles``.

    Args:
        node: the container.
        report: takes quirks; the example of RFC 9761 §7 has other names than its module.

    Raises:
        DecodeError: a value outside its type, or more of them than anybody has.
    """
    members = dict(node.members(spec=_SPEC))
    profiles = members.pop("tls-dtls-profile", None) or members.pop("tls-dtls-profiles", None)
    if profiles is None or members:
        node.refuse("a list tls-dtls-profile and nothing else", spec=_SPEC)
    found = []
    for index, profile in enumerate(profiles.elements(spec=_SPEC)):
        if index == _MOST_PROFILES:
            profile.refuse(f"at most {_MOST_PROFILES} profiles", spec=_SPEC)
        found.append(_parse_profile(profile, report))
    if not found:
        profiles.refuse("a profile", spec=_SPEC)
    return tuple(found)


def _parse_profile(profile: Node, report: Callable[[Node, str, str], None]) -> TlsProfile:
    values: dict[str, Any] = {"label": profile.member("name", spec=_SPEC).text(_LONGEST_TEXT, spec=_SPEC)}
    versions: list[str] = []
    for name, node in profile.members(spec=_SPEC):
        leaf = _OF_THE_EXAMPLE.get(name, name)
        if leaf != name:
            report(node, f"the name of the RFC's example; read as {leaf}", "RFC 9761 §7")
        if leaf == "name":
            continue
        if leaf in _VERSION_LEAVES:
            versions += _leaves(node, partial(_version, known=_VERSION_LEAVES[leaf]))
        elif leaf == "accept-list-ta-cert":
            values["anchors"] = len(_leaves(node, lambda one: one.text(_LONGEST_ANCHOR, spec=_SPEC)))
        elif leaf in _NUMBERS:
            field, highest = _NUMBERS[leaf]
            values[field] = _leaves(node, partial(_number, highest=highest))
        elif leaf in _TEXTS:
            values[_TEXTS[leaf]] = _leaves(node, lambda one: one.text(_LONGEST_TEXT, spec=_SPEC))
        else:
            node.refuse("a parameter of RFC 9761", spec=_SPEC)
    return TlsProfile(versions=tuple(versions), **values)


def _leaves(node: Node, read: Callable[[Node], Any]) -> tuple[Any, ...]:
    values = tuple([read(one) for one in node.elements(spec=_SPEC)])
    if len(values) > _MOST_VALUES:
        node.refuse(f"at most {_MOST_VALUES} values", spec=_SPEC)
    return values


def _number(node: Node, *, highest: int) -> int:
    return node.integer(0, highest, spec=_SPEC)


def _version(node: Node, *, known: tuple[str, ...]) -> str:
    if node.value not in known:
        node.refuse(f"one of {', '.join(known)}", spec=_SPEC)
    return str(node.value)


_VERSION_LEAVES = {"supported-tls-version": ("tls12", "tls13"), "supported-dtls-version": ("dtls12", "dtls13")}
_NUMBERS = {
    "cipher-suite": ("cipher_suites", 0xFFFF),
    "extension-type": ("extensions", 0xFFFF),
    "supported-group": ("groups", 0xFFFF),
    "signature-algorithm": ("signature_algorithms", 0xFFFF),
    "signature-algorithm-cert": ("certificate_algorithms", 0xFFFF),
    "psk-key-exchange-mode": ("psk_modes", 0xFF),
    "cert-compression-algorithm": ("compressions", 0xFFFF),
}
_TEXTS = {"application-protocol": "protocols", "certificate-authorities": "authorities"}
_OF_THE_EXAMPLE = {
    "supported-tls-versions": "supported-tls-version",
    "supported-dtls-versions": "supported-dtls-version",
    "extension-types": "extension-type",
    "supported-groups": "supported-group",
}
