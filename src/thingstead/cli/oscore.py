"""``thingstead oscore``: contexts in files, exchanged with libcoap and aiocoap without using a number twice."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import octets, read_file, whole
from thingstead.crypto.algorithm import REGISTRY, Kind
from thingstead.crypto.judgement import Status
from thingstead.errors import ConfigError, StorageError
from thingstead.secret import Secret
from thingstead.storage import oscore_form
from thingstead.storage.directory import locked, private_directory, write_whole
from thingstead.storage.oscore_context import ContextFile, Half, OscoreParameters, Sequences, encode
from thingstead.storage.oscore_form import AiocoapContext

__all__ = ["CREATE", "EXPORT", "IMPORT", "SHOW"]

_MAX_SIZE = 1 << 16
_SECRET_SIZE = 16
_SALT_SIZE = 8
_MOVED = ".moved"
_SEQUENCE = ".seq"
_CREDENTIALS = "credentials.json"
_AEADS = {
    row.name: int(row.id) for row in REGISTRY.values() if row.kind is Kind.AEAD and row.status is Status.RECOMMENDED
}
_DEFAULT_AEAD = "AES-CCM-16-64-128"


def _create(session: Session) -> int:
    options = session.options
    parameters = OscoreParameters(
        Secret(secrets.token_bytes(_SECRET_SIZE)),
        options["sender_id"],
        options["recipient_id"],
        master_salt=secrets.token_bytes(_SALT_SIZE),
        id_context=options["id_context"],
        aead_id=_AEADS[options["aead"]],
    )
    path = session.path("file")
    with closing(ContextFile.create(path, parameters, Sequences(0, 0, is_new=True))) as file:
        session.console.show(_about(file))
    session.console.next(
        "thingstead oscore export", options["file"], "--form", "libcoap", "--peer", "--output", "PEER.conf"
    )
    return 0


def _show(session: Session) -> int:
    with closing(ContextFile.open(session.path("file"))) as file:
        session.console.show(_about(file))
    return 0


def _import(session: Session) -> int:
    source, target, is_peer = session.path("source"), session.path("output"), session.options["peer"]
    if target.exists():
        raise ConfigError(f"{target} is there already; a context is never written over")
    with _foreign(session, source) as (theirs, known):
        ours = theirs.mirrored() if is_peer else theirs
        sequences = _sequences(ours, None if is_peer else known, session.options["sequence"])
        if not is_peer:
            _move_away(source)
        with closing(ContextFile.create(target, ours, sequences)) as file:
            session.console.show(_about(file))
    if not is_peer:
        session.console.say(f"its Sender ID has one user from now on, and {source.name} is {source.name}{_MOVED}")
    session.console.next("thingstead coap get coap://HOST/PATH --oscore", session.options["output"])
    return 0


def _sequences(ours: OscoreParameters, known: AiocoapContext | None, told: int | None) -> Sequences:
    """Where the numbers go on: as the files say, or whoever knows.

    Raises:
        ConfigError: nobody does.
    """
    if known is not None:
        number = max(known.sequence, told or 0)
        return Sequences(number, is_new=known.is_new and number == 0)
    if told is None:
        raise ConfigError(
            f"nothing says which numbers of Sender ID {ours.sender_id.hex() or 'empty'} are spent: "
            "expected --sequence N, 0 only if nobody ever sent under it"
        )
    return Sequences(told)


@contextmanager
def _foreign(session: Session, source: Path) -> Iterator[tuple[OscoreParameters, AiocoapContext | None]]:
    """What another stack's files say, and how far they are spent, where they say that; held while it is read."""
    if not source.is_dir():
        parameters = oscore_form.parse_libcoap(read_file(source, max_bytes=_MAX_SIZE))
        beside = source.with_name(source.name + _SEQUENCE)
        named = session.path("sequence_file") if session.options["sequence_file"] else beside
        if not named.exists() and named == beside:
            yield parameters, None
        else:
            number = oscore_form.parse_sequence(read_file(named, max_bytes=_MAX_SIZE))
            yield parameters, AiocoapContext(parameters, number, is_new=False)
        return
    # The file that aiocoap locks while it uses the directory.
    lock = locked(source / "lock", f"aiocoap uses {source} now; end it first")
    try:
        names = (oscore_form.AIOCOAP_SETTINGS, oscore_form.AIOCOAP_SECRET, oscore_form.AIOCOAP_SEQUENCE)
        files = {name: read_file(source / name, max_bytes=_MAX_SIZE) for name in names if (source / name).exists()}
        context = oscore_form.parse_aiocoap(files)
        yield context.parameters, context
    finally:
        os.close(lock)


def _move_away(source: Path) -> None:
    moved = source.with_name(source.name + _MOVED)
    if moved.exists():
        raise ConfigError(f"expected no {moved}: remove it, if nothing of it is used")
    try:
        source.rename(moved)
    except OSError as error:
        raise StorageError(f"cannot take {source} out of use: {error.strerror}") from error


def _export(session: Session) -> int:
    options, target = session.options, session.path("output")
    if target.exists():
        raise ConfigError(f"{target} is there already; a context is never written over")
    half = Half.RECIPIENT if options["peer"] else Half.SENDER
    with closing(ContextFile.open(session.path("file"))) as file:
        parameters = file.parameters.mirrored() if options["peer"] else file.parameters
        render, command = _FORMS[options["form"]]
        is_new = file.sequences.is_new
        # What the other stack cannot take is refused before our half is gone.
        render(target, AiocoapContext(parameters, 0, is_new))
        # Gone from here before it is anywhere else: a crash between the two loses a half, and doubles none.
        number = file.hand_out(half, start=options["sequence"])
        files = render(target, AiocoapContext(parameters, number, is_new and number == 0))
        for path, content in files.items():
            if path.parent == target:
                private_directory(target)
            write_whole(path, content)
        written = [str(path) for path in files]
        session.console.show({"written": written, "sender_id": parameters.sender_id.hex(), "next_number": number})
        left = file.sequences
    if left.sender is None:
        session.console.say(f"Sender ID {file.parameters.sender_id.hex()} is not in {options['file']} any more")
    session.console.next(command.replace("OUTPUT", options["output"]))
    return 0


def _to_libcoap(target: Path, context: AiocoapContext) -> dict[Path, bytes]:
    sequence = target.with_name(target.name + _SEQUENCE)
    return {sequence: b"%d\n" % context.sequence, target: oscore_form.render_libcoap(context.parameters)}


def _to_aiocoap(target: Path, context: AiocoapContext) -> dict[Path, bytes]:
    files = oscore_form.render_aiocoap(context) | {_CREDENTIALS: oscore_form.render_credentials(str(target))}
    return {target / name: content for name, content in files.items()}


def _to_ours(target: Path, context: AiocoapContext) -> dict[Path, bytes]:
    return {target: encode(context.parameters, Sequences(context.sequence, is_new=context.is_new))}


_FORMS: dict[str, tuple[Callable[[Path, AiocoapContext], dict[Path, bytes]], str]] = {
    "libcoap": (_to_libcoap, f"coap-client -E OUTPUT,OUTPUT{_SEQUENCE} -m get coap://HOST/PATH"),
    "aiocoap": (_to_aiocoap, f"aiocoap-client --credentials OUTPUT/{_CREDENTIALS} coap://HOST/PATH"),
    "thingstead": (_to_ours, "thingstead coap get coap://HOST/PATH --oscore OUTPUT"),
}
"""Form -> the files of a half, by path; and the command that uses them."""


def _about(file: ContextFile) -> dict[str, Any]:
    """Everything but the keys."""
    parameters, sequences = file.parameters, file.sequences
    return {
        "file": str(file.path),
        "sender_id": parameters.sender_id.hex(),
        "recipient_id": parameters.recipient_id.hex(),
        "id_context": None if parameters.id_context is None else parameters.id_context.hex(),
        "aead": REGISTRY[parameters.aead_id].name,
        "hash": REGISTRY[parameters.digest_id].name,
        "next_number": "handed out" if sequences.sender is None else sequences.sender,
        "peer_half": "handed out" if sequences.recipient is None else "here",
    }


_FILE = Parameter("file", "our file of an OSCORE context")
_PEER = "the other party's half instead"
_SEQUENCE_HELP = "its next sender sequence number, where no file says; 0 only if nobody ever sent under that ID"

CREATE = Action(
    (
        Parameter("file", "file to make (0600)"),
        Parameter("--sender-id", "ours, in hexadecimal", octets, default=b"\x01"),
        Parameter("--recipient-id", "the peer's, in hexadecimal", octets, default=b"\x02"),
        Parameter("--id-context", "in hexadecimal, where the peer needs one", octets),
        Parameter("--aead", "algorithm", default=_DEFAULT_AEAD, choices=tuple(_AEADS)),
    ),
    _create,
    "Fresh keys for two parties. Use this file here, and give the peer its half with `oscore export --peer`.",
)
SHOW = Action((_FILE,), _show, "Keys are never shown.")
IMPORT = Action(
    (
        Parameter("source", "libcoap's configuration file, or aiocoap's directory"),
        Parameter("--output", "our file to make (0600)", required=True),
        Parameter("--peer", f"be {_PEER}; the source stays with whoever uses it", read=None),
        Parameter("--sequence", _SEQUENCE_HELP, whole(0)),
        Parameter("--sequence-file", "libcoap's second file of -E; SOURCE.seq if it is there"),
    ),
    _import,
    "Two users of one Sender ID would use a number twice, which gives the keystream away (RFC 8613 §12.1). So without\n"
    "--peer the source is taken out of use: it gets .moved behind its name.",
)
EXPORT = Action(
    (
        _FILE,
        Parameter("--form", "whose", required=True, choices=tuple(_FORMS)),
        Parameter("--output", "file to make, or directory for aiocoap (only yours)", required=True),
        Parameter("--peer", f"export {_PEER}, to whoever we are going to talk to", read=None),
        Parameter("--sequence", _SEQUENCE_HELP, whole(0)),
    ),
    _export,
    "A half has one holder: what is exported carries its sequence number and is gone from our file. libcoap keeps\n"
    "the number in OUTPUT.seq, which its -E must always name too.",
)
