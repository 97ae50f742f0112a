"""What comes to a domain as a file or a line: policies, settings, operators, backups, labels, links and requests."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from tests.fuzz.target import Target, attempt, ensure
from tests.unit.domain.things import a_thing
from thingstead.analysis.policy_check import check_policy
from thingstead.controller import backup as backup_file
from thingstead.controller import config, revocation
from thingstead.controller.backup import Backup
from thingstead.controller.revocation import Revocations
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.plane import PlaneName
from thingstead.domain.policy import IdentityFacts, Verdict, explain
from thingstead.errors import ConfigError
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.registration import address_of, read_lookup, read_registration, resolve
from thingstead.protocols.profile import signed_request
from thingstead.protocols.profile.install_code import make_code, parse_code, render_code
from thingstead.secret import Secret
from thingstead.storage.operator_file import key_word, parse_operators
from thingstead.storage.policy_file import parse_policy

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_KEY = private_key(KeyType.P256, Secret(bytes(31) + b"\x07"))
_BACKUP_TYPE, _REVOCATION_TYPE = (f"application/vnd.thingstead.{what}+cbor" for what in ("backup", "revocations"))
_REQUEST_CONTEXT = b"thingstead signed request 1"
_SOURCE = ("192.0.2.1", 5683)
_STRANGER = IdentityFacts("nobody", "LX-1", "L-1", b"", "none")
_POLICY = b"""profile = "building"
[scope.lamp]
"/telemetry" = ["POST"]
[bill]
floor-1 = ["A-0107", "B-1..B-9"]
[[rule]]
name = "lamps"
makers = ["acme"]
models = ["LX-*"]
serials = ["A-0001..A-0100", "C?"]
zone = "floor-1"
scope = "lamp"
since = 2026-01-01T00:00:00Z
count = 7
[[rule]]
name = "b"
makers = ["*"]
bill = "floor-1"
verdict = "hold"
[granted]
"/light" = ["GET", "PUT"]
[[series]]
name = "power"
purpose = "find faults"
retention_days = 30
[[peer]]
name = "p"
clients = ["SW-*"]
servers = ["LX-*"]
scope = "lamp"
hours = 24
[[rejoin]]
versions = ["2.*"]
"""


def _policy(data: bytes) -> None:
    """Any text is a policy or one ConfigError of one line, and admits nobody whose maker no rule names."""
    try:
        policy = parse_policy(data.decode("utf-8", "replace"))
    except ConfigError as error:
        ensure(len(str(error)) < 4 * 2048, "a refusal longer than what it refuses")
        return
    check_policy(policy.join, at=_AT, makers=frozenset({"acme"}))
    told = explain(_STRANGER, policy.join, at=_AT, present=lambda _rule: 0)
    named = any(rule.names(_STRANGER) for rule in policy.join.rules)
    ensure(named or told.decision.verdict is not Verdict.ADMIT, "somebody was admitted whom no rule names")


def _settings(data: bytes) -> None:
    """Any text is a configuration or one ConfigError."""
    try:
        config.parse(data.decode("utf-8", "replace"))
    except ConfigError:
        return


def _operators(data: bytes) -> None:
    """Any text is operators or one ConfigError; nobody becomes owner or installer by a line."""
    try:
        found = parse_operators(data.decode("utf-8", "replace"), user_id=len)
    except ConfigError:
        return
    roles = {one.role.value for one in (*found.users.values(), *(operator for _, operator in found.keys.values()))}
    ensure(roles <= {"maintainer", "user", "auditor"}, "a line made somebody more than it may")


def _backup(data: bytes) -> None:
    """What the ledger's key signs is a backup, revocations, or refused: whole again when it is signed anew."""
    attempt(partial(backup_file.authenticate, data, _KEY.public))
    found = attempt(partial(backup_file.authenticate, _signed(data, _BACKUP_TYPE), _KEY.public))
    if found is not None:
        again = backup_file.authenticate(backup_file.sign(found.backup, _KEY), _KEY.public)
        ensure(again.backup == found.backup, "a backup changed")
    attempt(partial(revocation.authenticate, data, _KEY.public, domain="home"))
    revoked = attempt(partial(revocation.authenticate, _signed(data, _REVOCATION_TYPE), _KEY.public, domain="home"))
    if revoked is not None:
        signed = revocation.sign(revoked.revocations, _KEY)
        again_revoked = revocation.authenticate(signed, _KEY.public, domain="home")
        ensure(again_revoked.revocations == revoked.revocations, "revocations changed")


def _request(data: bytes) -> None:
    """Whatever an operator's key signs is a request for this domain, or refused."""
    attempt(partial(signed_request.decode_signer, data))
    signed = sign1.sign(
        data, _KEY, signature_id=AlgorithmId.ESP256, protected={Label.KID: bytes(32)}, external_aad=_REQUEST_CONTEXT
    )
    ours = attempt(partial(signed_request.authenticate, signed, _KEY.public, domain="home"))
    theirs = attempt(partial(signed_request.authenticate, signed, _KEY.public, domain="other"))
    ensure(ours is None or theirs is None, "a request for two domains was taken")
    ensure(ours is None or len(ours.challenge) == signed_request.CHALLENGE_SIZE, "a challenge of no controller")


def _links(data: bytes) -> None:
    """Links are refused or the same again when they are written; a registration sends nobody to another host."""
    found = attempt(partial(link.parse, data))
    if found is not None:
        ensure(link.parse(link.render(found)) == found, "links changed")
        for one in found:
            resolve("coap://192.0.2.1", one.target)
    queries, _, payload = data.partition(b"\0")
    said = queries.decode("utf-8", "replace").split("&")
    attempt(partial(read_lookup, said))
    registered = attempt(partial(read_registration, said, payload, _SOURCE))
    if registered is not None and registered.base:
        address = address_of(registered.base)
        ensure(address is None or address[0] == _SOURCE[0], "a registration sends others to somebody else")
        ensure(link.parse(link.render([registered.as_link()])) == [registered.as_link()], "an endpoint's link changed")


def _install_code(data: bytes) -> None:
    """What is read as a code is written as that code."""
    code = attempt(lambda: parse_code(data.decode("latin-1")))
    ensure(code is None or parse_code(render_code(code)) == code, "a code changed on its way")


def _signed(data: bytes, kind: str) -> bytes:
    return sign1.sign(data, _KEY, signature_id=AlgorithmId.ESP256, protected={Label.TYP: kind})


def _payload(data: bytes) -> bytes:
    return sign1.decode(data).payload or b""


_BACKUP = Backup(
    domain="home",
    at=_AT,
    settings="",
    policy="profile = 'home'",
    anchors=(TrustAnchor("acme", _KEY.public, (_KEY.public,), bytes(16)),),
    keys={"ledger": bytes(32)},
    things=(a_thing(),),
    planes={name: {"a": b"document"} for name in PlaneName},
    leaves=(b"leaf",),
)
_REVOKED = Revocations(domain="home", epoch=2, entries=9, decided=3, things=(a_thing(),))

TARGETS = (
    Target("policy", _policy, (_POLICY, b"[[rule]]\nname='a'\nmakers=['m']\nverdict='refuse'\n")),
    Target("settings", _settings, (b'[domain]\nname = "home"\n[coap]\nport = 5683\nhost = "::1"\n',)),
    Target("operators", _operators, (f"# x\nauditor user:ben b\nuser {key_word(_KEY.public)} dora\n".encode(),)),
    Target("backup", _backup, (_payload(backup_file.sign(_BACKUP, _KEY)), _payload(revocation.sign(_REVOKED, _KEY)))),
    Target(
        "signed request",
        _request,
        (_payload(signed_request.sign("thing.admit", {"thing": "t"}, _KEY, domain="home", challenge=bytes(16))),),
    ),
    Target(
        "links",
        _links,
        (b'</s>;rt="a b";ct=40;obs,<coap://h/x>;title="\\""', b"ep=a&lt=60&base=coap://192.0.2.1:61616\0</a>;if=x"),
    ),
    Target("install code", _install_code, (render_code(make_code(bytes)).encode(),)),
)
