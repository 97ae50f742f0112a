"""``thingstead coap``: ask anything that speaks CoAP, in clear or under OSCORE."""

from __future__ import annotations

import asyncio
import base64
import re
import signal
from argparse import ArgumentTypeError
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from thingstead.cli import coap_body
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.coap_body import Body
from thingstead.cli.console import Console
from thingstead.cli.input import octets, seconds, whole
from thingstead.clock import SystemClock
from thingstead.coap.address import is_group
from thingstead.coap.client import Client
from thingstead.coap.exchange import Options, Response
from thingstead.coap.shell import Watcher
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.discovery import PATH
from thingstead.endpoint.drawing import Ladder, code_text
from thingstead.errors import ConfigError, ProtocolError, StorageError
from thingstead.protocols.coap import uri as coap_uri
from thingstead.protocols.coap.code import is_error
from thingstead.protocols.coap.content_format import media_type
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.storage.directory import write_whole

__all__ = ["DELETE", "DISCOVER", "FETCH", "GET", "IPATCH", "OBSERVE", "PATCH", "POST", "PUT"]

_RAW_ZONE = re.compile(r"\[([^\]%]*)%(?!25)([^\]]*)\]")
_CLOCK = SystemClock()
_BLOCK_SIZES = tuple(str(16 << exponent) for exponent in range(7))


def _asking(method: Code) -> Callable[[Session], int]:
    async def ask(session: Session) -> int:
        uri, payload = _uri(session), coap_body.read(session)
        async with _client(session) as client:
            if session.options.get("no_response"):
                await client.tell(method, uri, payload, **_options(session))
                session.console.note("sent, once; nobody says whether it came")
                return 0
            if method is Code.GET and is_group(coap_uri.parse(uri)):
                await _gather(session, client, uri)
                return 0
            response = await client.request(method, uri, payload, **_options(session))
        _show(session, response)
        response.require_success()
        return 0

    return _running(ask)


async def _observe(session: Session) -> int:
    """Until the peer ends it, enough came, or Ctrl-C: which is how most observations end, and no error."""
    uri, payload, count = _uri(session), coap_body.read(session), session.options["count"]
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(_watch(session, uri, payload, count))
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, watching.cancel)
        try:
            await asyncio.wait({watching})
        finally:
            loop.remove_signal_handler(signal.SIGINT)
    return 0


async def _watch(session: Session, uri: str, payload: bytes, count: int | None) -> None:
    method = Code.FETCH if payload else Code.GET
    came = 0
    async with (
        _client(session) as client,
        client.observe(uri, payload, method=method, **_options(session)) as responses,
    ):
        async for response in responses:
            _show(session, response, is_one_of_many=True)
            response.require_success()
            came += 1
            if came == count:
                return
    session.console.note(
        "the peer ended the observation" if came > 1 else "the peer answered once: it lets nobody observe this"
    )


async def _gather(session: Session, client: Client, uri: str) -> None:
    """Each server of a group for itself, with its address before it."""
    async for response in client.collect(uri, interface=session.options["interface"], **_options(session)):
        if not session.console.as_json:
            session.console.note(f"{_address(response.source)}: {code_text(response.code)}")
        _show(session, response, is_one_of_many=True)


async def _discover(session: Session) -> int:
    uri = _uri(session)
    async with _client(session) as client:
        taken = coap_uri.parse(uri)
        if is_group(taken):
            host, mark, query = uri.partition("?")
            await _gather(session, client, uri if taken.path else f"{host.rstrip('/')}{PATH}{mark}{query}")
            return 0
        found = coap_body.links(await client.discover(uri, **_options(session)))
    session.console.show(found.value, found.view)
    return 0


def _running(story: Callable[[Session], Coroutine[Any, Any, int]]) -> Callable[[Session], int]:
    return lambda session: asyncio.run(story(session))


@asynccontextmanager
async def _client(session: Session) -> AsyncIterator[Client]:
    named = session.options["oscore"]
    watch = _drawing(session) if session.options["v"] else None
    block_size = session.options["block_size"]
    config = EndpointConfig() if block_size is None else EndpointConfig(block_szx=block_size.bit_length() - 5)
    proxy = session.options["proxy"]
    context = None if named is None else session.path("oscore")
    async with Client(context, config=config, watch=watch, proxy=None if proxy is None else _as_uri(proxy)) as client:
        yield client


def _drawing(session: Session) -> Watcher:
    """Draws each datagram as it goes; under OSCORE what is inside stays hidden, as it is for everyone on the way."""
    started: list[float] = []
    ladders: dict[Any, Ladder] = {}

    def watch(now: float, data: bytes | Message, peer: Any, out: bool) -> None:
        started.append(now)
        if peer not in ladders:
            ladders[peer] = Ladder("we", _address(peer))
            session.console.note(ladders[peer].head())
        is_reliable = isinstance(data, Message)
        session.console.note(ladders[peer].rung(now - started[0], data, rightward=out, reliable=is_reliable))

    return watch


def _uri(session: Session) -> str:
    return _as_uri(session.options["uri"])


def _as_uri(typed: str) -> str:
    """A URI, if it is one; a zone of IPv6 may be typed as everybody does.

    Raises:
        ConfigError: it is none, which it says before anything is sent.
    """
    text = _RAW_ZONE.sub(r"[\1%25\2]", typed)
    try:
        coap_uri.parse(text)
    except ProtocolError as error:
        raise ConfigError(f"expected coap://HOST[:PORT]/PATH[?QUERY], got {text[:80]!r}: {error}") from error
    return text


def _options(session: Session) -> Options:
    chosen = session.options
    given: Options = {"timeout": chosen["timeout"], "confirmable": not chosen["non"]}
    if chosen["accept"] is not None:
        given["accept"] = chosen["accept"]
    if chosen.get("content_format") is not None:
        given["content_format"] = chosen["content_format"]
    for name in ("if_match", "etag"):
        if chosen.get(name) is not None:
            given[name] = [chosen[name]]
    if chosen.get("if_none_match"):
        given["if_none_match"] = True
    return given


def _entity_tag(text: str) -> bytes:
    """An entity-tag of at most 8 bytes, in hexadecimal as ``--json`` shows it.

    Raises:
        ArgumentTypeError: it is none.
    """
    tag = octets(text.removeprefix("0x"))
    if len(tag) > OptionNumber.ETAG.max_size:
        raise ArgumentTypeError(f"expected at most {OptionNumber.ETAG.max_size} bytes, got {len(tag)}")
    return tag


def _block_size(text: str) -> int:
    """A size of RFC 7959 §2.2.

    Raises:
        ArgumentTypeError: it is none.
    """
    if text not in _BLOCK_SIZES:
        raise ArgumentTypeError(f"expected one of {', '.join(_BLOCK_SIZES)}, got {text[:20]!r}")
    return int(text)


def _show(session: Session, response: Response, *, is_one_of_many: bool = False) -> None:
    """The payload where results go, all else beside it; of an error, everything beside it."""
    console = session.console
    body = coap_body.shown(response.payload, response.content_format, at=_CLOCK.utc())
    if is_error(response.code):
        # What the code and a diagnostic payload say, the refusal says.
        if response.content_format is not None:
            console.note(str(body.value) if body.text is None else body.text)
        return
    if session.options.get("output"):
        _keep(session.path("output"), response.payload)
    if console.as_json:
        (console.line if is_one_of_many else console.show)(_document(response, body))
        return
    if not response.payload:
        console.note(f"{code_text(response.code)}{_created(response)}")
    if body.note:
        console.note(body.note)
    if session.options.get("output"):
        console.note(f"written: {session.path('output')}")
    elif response.payload:
        _show_payload(console, body, response.payload)


def _keep(path: Path, payload: bytes) -> None:
    """A file is replaced as a whole, and where a link to it stands it stays; a pipe or a device is written to.

    Raises:
        StorageError: the payload is not there now.
    """
    if path.is_file() or path.is_dir() or not path.exists():
        write_whole(path.resolve(), payload)
        return
    try:
        path.write_bytes(payload)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error


def _show_payload(console: Console, body: Body, payload: bytes) -> None:
    if body.view is not None:
        console.show(body.value, body.view)
    elif body.text is not None:
        console.line(body.text.removesuffix("\n"))
    else:
        console.raw(payload)


def _created(response: Response) -> str:
    place = coap_uri.location(Message(response.code, options=list(response.options)))
    return "" if place is None else f": {place}"


def _document(response: Response, body: Body) -> dict[str, Any]:
    number = response.content_format
    return {
        "code": code_text(response.code),
        "content_format": None if number is None else media_type(number),
        "etag": None if response.etag is None else response.etag.hex(),
        "payload": body.value,
        "payload_base64": base64.b64encode(response.payload).decode(),
        "protected": response.is_protected,
        "source": _address(response.source),
    }


def _address(peer: Any) -> str:
    return f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"


_URI = Parameter(
    "uri", "coap:// or coap+tcp://HOST[:PORT]/PATH[?QUERY]; an IPv6 address in [brackets], best quoted for the shell"
)
_PAYLOAD = (
    Parameter("payload", "what to send; - reads standard input", default=""),
    Parameter("--file", "file to send instead"),
    Parameter(
        "--content-format", "of the payload: a number, media type or name such as cbor", coap_body.content_format
    ),
)
_HOW = (
    Parameter("--accept", "format that is wanted, named the same way", coap_body.content_format),
    Parameter("--oscore", "file of an OSCORE context, as `thingstead oscore` makes it; nothing goes out in clear then"),
    Parameter("--proxy", "coap:// or coap+tcp://HOST[:PORT] of a forward proxy to ask instead"),
    Parameter("--block-size", "bytes of a block where a body is longer: a power of two", _block_size),
    Parameter("--non", "send once, and do not repeat it until it is acknowledged", read=None),
    Parameter("--timeout", "seconds to wait for the response", read=seconds, default=30.0),
    Parameter("-v", "draw the exchange as a ladder", read=None),
)
_CONDITIONS = (
    Parameter("--if-match", "act only on the state with this entity-tag, in hexadecimal; '' for any", _entity_tag),
    Parameter("--if-none-match", "act only where there is nothing yet", read=None),
)
_NO_RESPONSE = Parameter("--no-response", "send once, want no response and wait for none (RFC 7967)", read=None)
_ETAG = Parameter("--etag", "what you have, in hexadecimal: 2.03 says that it is still right", _entity_tag)
_INTERFACE = Parameter("--interface", "IPv4 address of yours that a group is reached from", default="")
_OUTPUT = Parameter("--output", "file for the payload as it came; else it is shown as its format says")
_DESCRIPTION = (
    "The payload goes to standard output and all else to standard error; CBOR is shown, and typed, in diagnostic\n"
    "notation (RFC 8949 §8), SenML and links as tables. Long payloads go block-wise by themselves. It ends with 0 for\n"
    "2.xx, 44 for 4.xx, 45 for 5.xx, 42 when nobody answered in time and 41 when nobody is there."
)


def _action(method: Code, *payload: Parameter) -> Action:
    return Action((_URI, *payload, *_HOW, _OUTPUT), _asking(method), _DESCRIPTION)


GET = _action(Code.GET, _ETAG, _INTERFACE)
FETCH = _action(Code.FETCH, *_PAYLOAD, _ETAG)
DELETE = _action(Code.DELETE, *_CONDITIONS, _NO_RESPONSE)
POST, PUT, PATCH, IPATCH = (
    _action(method, *_PAYLOAD, *_CONDITIONS, _NO_RESPONSE) for method in (Code.POST, Code.PUT, Code.PATCH, Code.IPATCH)
)
OBSERVE = Action(
    (
        _URI,
        *_PAYLOAD,
        *_HOW,
        Parameter("--count", "end after so many, the first included", read=whole(1)),
    ),
    _running(_observe),
    "One line for each state; --json prints one document a line. With a payload it is a FETCH (RFC 8132 §2.4).",
)
DISCOVER = Action(
    (_URI, _INTERFACE, *_HOW),
    _running(_discover),
    "Asks for /.well-known/core (RFC 6690); a query filters, as in coap://HOST/?rt=light. A multicast address asks\n"
    "who is there, in clear, and hosts answer within ten seconds: coap://[ff02::fd%eth0], coap://224.0.1.187.",
)
