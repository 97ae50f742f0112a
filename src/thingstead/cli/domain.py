"""Commands on a domain as a whole: made, checked, trusted, asked."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import read_file
from thingstead.cli.remote import AS, DOMAIN, ask, remote
from thingstead.cli.template import policy_template
from thingstead.clock import SystemClock
from thingstead.controller.directory import DomainDirectory
from thingstead.controller.network import check as check_network
from thingstead.controller.tls_identity import open_authority
from thingstead.crypto.digest import digest
from thingstead.domain.policy import ProfileName
from thingstead.errors import ConfigError
from thingstead.protocols.cwt import ccs
from thingstead.storage.directory import write_whole
from thingstead.storage.operator_file import parse_operators
from thingstead.storage.policy_file import parse_policy
from thingstead.transport.control_socket import group_id, user_id

__all__ = [
    "ASK",
    "AUTHORITY",
    "CONFIG_CHECK",
    "CREDENTIAL",
    "INIT",
    "STATUS",
]

_DIRECTORY = Parameter("directory", "the domain's directory")


def _directory(session: Session) -> DomainDirectory:
    return DomainDirectory(session.path("directory"))


def _init(session: Session) -> int:
    directory, options = _directory(session), session.options
    name = options["name"] or directory.root.name
    settings = f"[domain]\nname = {json.dumps(name, ensure_ascii=False)}\n"
    directory.create(settings=settings, policy=policy_template(ProfileName(options["profile"])))
    session.console.show({"domain": name, "directory": str(directory.root), "profile": options["profile"]})
    session.console.say(f"who may join stands in {directory.policy}")
    session.console.next("thingstead trust add", options["directory"], "MAKER.anchor")
    return 0


def _config_check(session: Session) -> int:
    directory = _directory(session)
    config = directory.load()
    directory.heads(config)
    directory.observe_socket(config)
    check_network(config.network, root=directory.root)
    if config.observe.group:
        group_id(config.observe.group)
    policy = parse_policy(read_file(directory.policy, max_bytes=1 << 20).decode("utf-8", "replace"))
    parse_operators(directory.operators_text(), user_id=user_id)
    makers = {one.maker for one in directory.anchors()}
    unknown = sorted({maker for rule in policy.join.rules for maker in rule.makers} - makers)
    session.console.show({**asdict(config), "rules": len(policy.join.rules), "makers": sorted(makers)})
    if unknown:
        session.console.say(f"the policy names makers without an anchor: {', '.join(unknown)}")
    session.console.next("thingstead up", session.options["directory"])
    return 0


def _authority(session: Session) -> int:
    directory, options = _directory(session), session.options
    authority = open_authority(directory.tls, domain=directory.load().domain.name, at=SystemClock().utc())
    path = (
        session.path("output")
        if options["output"]
        else directory.root.with_name(f"{directory.root.name}.authority.pem")
    )
    write_whole(path, authority.chain_pem)
    session.console.show({"authority": str(path), "expires": f"{authority.certificate.expires:%Y-%m-%d}"})
    session.console.next("thingstead thing add --maker MAKER --model MODEL --serial SERIAL")
    return 0


def _credential(session: Session) -> int:
    directory = _directory(session)
    config = directory.load()
    credential = ccs.encode(directory.public("domain"), subject=config.domain.name)
    target = session.path("output") if session.options["output"] else Path(f"{directory.root}.credential")
    write_whole(target, credential)
    session.console.show({"written": str(target), "sha256": digest(credential).hex()})
    session.console.next("thingstead factory thing THING --maker MAKER --model MODEL --serial SERIAL --for", target)
    return 0


def _ask(session: Session) -> int:
    arguments: dict[str, Any] = {}
    for text in session.options["argument"]:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"expected name=value, got {text[:40]!r}")
        arguments[name] = _value(value)
    session.console.show(ask(session, session.options["operation"], arguments))
    return 0


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _after_status(told: Any) -> str:
    """To who was cut off or gave an alarm, else to whom a person is to admit."""
    alarms = told.get("alarms") or {}
    return str(alarms.get("next") or f"thingstead thing {'waiting' if told.get('waiting') else 'list'}")


INIT = Action(
    (
        _DIRECTORY,
        Parameter("--profile", "sets the policy's defaults", default="building", choices=tuple(ProfileName)),
        Parameter("--name", "what you call it; else the directory's name"),
    ),
    _init,
    "Makes fresh keys (0600), settings and a join policy to edit. Nobody can join before a maker is trusted.\n"
    "The ledger's public key goes beside its signed heads, outside the directory.",
)
CONFIG_CHECK = Action((_DIRECTORY,), _config_check, "Reads settings, policy and anchors as `thingstead up` would.")
CREDENTIAL = Action(
    (_DIRECTORY, Parameter("--output", "file to write; else DIRECTORY.credential")),
    _credential,
    "The credential is public (a CCS, RFC 8392): a maker's voucher names it, and a thing joins no other domain.",
)
AUTHORITY = Action(
    (_DIRECTORY, Parameter("--output", "file to write; else DIRECTORY.authority.pem")),
    _authority,
    "Devices that speak hawkBit's API ([ddi]) check the domain's server with it: `cafile` of swupdate; for\n"
    "rauc-hawkbit-updater, one of the system's certificates. Its key stays in the directory's `tls`: a copy of that\n"
    "belongs to the copy of the keys.",
)
STATUS = remote("status", then=_after_status)
ASK = Action(
    (
        Parameter("operation", "its name, e.g. thing.list; a name that is none lists all"),
        Parameter("argument", "name=value; the value may be JSON", many=True, default=()),
        DOMAIN,
        AS,
    ),
    _ask,
    "Every command on a running domain is such an operation; this reaches those that have no command yet.",
)
