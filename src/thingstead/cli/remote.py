"""Commands on a running domain: each asks its controller for the operation of the same name."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from thingstead import errors
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.crypto.key import PrivateKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ConfigError, ThingsteadError
from thingstead.identifier import KeyId
from thingstead.protocols.profile import signed_request
from thingstead.transport.control_socket import ControlClient

__all__ = ["AS", "DOMAIN", "OPERATOR_KEY", "THING", "absolute_paths", "ask", "ask_at", "domain_root", "remote"]

DOMAIN = Parameter(
    "--domain",
    "the domain's directory, or its socket for observers; else $THINGSTEAD_DOMAIN, else the current directory",
)
AS = Parameter("--as", "directory of the key to ask with (`thingstead operator key`); else you are who the kernel says")
THING = Parameter("thing", "its id, such as thing-abcdefghijklmnop")

_SETTINGS = "thingstead.toml"
_SOCKET = "control.sock"
OPERATOR_KEY = KeyId("operator")
"""Name of a person's key in its directory."""


def domain_root(session: Session) -> Path:
    """The directory of the domain that a command is about.

    Raises:
        ConfigError: none named, and the current directory holds none.
    """
    named = session.options.get("domain") or session.environment.get("THINGSTEAD_DOMAIN")
    if named:
        return (session.directory / named).absolute()
    if (session.directory / _SETTINGS).exists():
        return session.directory
    raise ConfigError("expected --domain DIR, THINGSTEAD_DOMAIN, or a current directory that is a domain's")


def ask(session: Session, operation: str, arguments: Mapping[str, Any]) -> Any:
    """Ask the running controller.

    Raises:
        TransportError: no controller runs.
        ThingsteadError: the class that the controller raised, with its sentence.
    """
    root = domain_root(session)
    path = root if root.is_socket() else root / _SOCKET
    key = None
    if session.options.get("as") is not None:
        directory = session.path("as")
        if not (directory / OPERATOR_KEY).exists():
            raise ConfigError(f"no key to ask with is in {directory}; `thingstead operator key` makes one")
        key = FileKeyStore(directory).handle(OPERATOR_KEY)
    return ask_at(path, operation, arguments, key=key)


def ask_at(path: Path, operation: str, arguments: Mapping[str, Any], *, key: PrivateKey | None = None) -> Any:
    """Ask the controller whose control socket is at `path`, signed with `key` if there is one; errors as for `ask`."""
    with closing(ControlClient(path)) as client:
        if key is None:
            return _result(client.ask({"operation": operation, "arguments": dict(arguments)}))
        opened = _result(client.ask({"operation": "challenge", "arguments": {}}))
        domain, challenge = str(opened["domain"]), bytes.fromhex(opened["challenge"])
        signed = signed_request.sign(operation, arguments, key, domain=domain, challenge=challenge)
        return _result(client.ask({"signed": base64.urlsafe_b64encode(signed).decode("ascii")}))


def _result(answer: Mapping[str, Any]) -> Any:
    if "error" in answer:
        raise _raised(answer["error"])
    return answer.get("result")


def remote(
    operation: str,
    *parameters: Parameter,
    view: View | None = None,
    then: str | Callable[[Any], str] = "",
    description: str = "",
    prepare: Callable[[Session, dict[str, Any]], None] | None = None,
) -> Action:
    """A command whose parameters are the operation's arguments; those not given are left to the controller.

    Args:
        operation: the command's words joined by dots.
        parameters: named as the request's fields.
        view: how a list is shown.
        then: the next command, with ``{field}`` filled in from the result and the options; or what says it.
        description: a paragraph for ``--help``.
        prepare: changes the arguments before they are sent, e.g. makes paths absolute.
    """

    def run(session: Session) -> int:
        given = {one.key: session.options[one.key] for one in parameters}
        arguments = {key: value for key, value in given.items() if value is not None}
        if prepare is not None:
            prepare(session, arguments)
        result = ask(session, operation, arguments)
        session.console.show(result, view)
        if then:
            session.console.next(_fill(then if isinstance(then, str) else then(result), result, given))
        return 0

    return Action((*parameters, DOMAIN, AS), run, description)


def absolute_paths(*keys: str) -> Callable[[Session, dict[str, Any]], None]:
    """A `prepare` for options that name files: the controller has another current directory."""

    def prepare(session: Session, arguments: dict[str, Any]) -> None:
        arguments.update({key: str(session.path(key)) for key in keys if key in arguments})

    return prepare


def _fill(then: str, result: Any, given: Mapping[str, Any]) -> str:
    rows = result if isinstance(result, list) else [result]
    fields = next((row for row in rows if isinstance(row, Mapping)), {})
    known = {key: value for key, value in {**given, **fields}.items() if value is not None}
    return then.format_map(_Named(known))


class _Named(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return key.upper()


def _raised(told: Mapping[str, Any]) -> ThingsteadError:
    cls = getattr(errors, str(told.get("kind")), ThingsteadError)
    if not (isinstance(cls, type) and issubclass(cls, ThingsteadError)):
        cls = ThingsteadError
    return cls(str(told.get("message", "the controller gave no reason")), reason=str(told.get("reason", "")))
