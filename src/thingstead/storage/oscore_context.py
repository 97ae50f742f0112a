"""An OSCORE context in a file of its own: its keys, and which numbers of it are spent (RFC 8613 §7.5, appendix B.1).

Whoever sends two messages under one number gives the key stream away. So a file has one user at a time (a lock),
numbers are on disk before they are sent, and a half that was handed out is here no more.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import ConfigError, DecodeError, StateError, StorageError
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.option import MAX_PARTIAL_IV
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret
from thingstead.storage.directory import locked, write_whole

__all__ = ["ContextFile", "Half", "OscoreParameters", "Sequences", "encode"]

_FORMAT = "thingstead-oscore-context-1"
_MAX_SIZE = 1 << 14
_MAX_WINDOW = 1024


@dataclass(frozen=True, slots=True)
class OscoreParameters:
    """The input parameters of a context, from one party's side (RFC 8613 §3.2).

    Attributes:
        master_secret: of both parties.
        sender_id: this party's.
        recipient_id: the other's.
        master_salt: may be empty.
        id_context: None where there is none.
        aead_id: COSE number.
        digest_id: COSE number of the hash of the key derivation.
        window: size of the replay window.
    """

    master_secret: Secret
    sender_id: bytes
    recipient_id: bytes
    master_salt: bytes = b""
    id_context: bytes | None = None
    aead_id: int = AlgorithmId.AES_CCM_16_64_128
    digest_id: int = AlgorithmId.SHA_256
    window: int = 32

    def mirrored(self) -> OscoreParameters:
        """The same context from the other party's side."""
        return OscoreParameters(
            self.master_secret,
            self.recipient_id,
            self.sender_id,
            self.master_salt,
            self.id_context,
            self.aead_id,
            self.digest_id,
            self.window,
        )

    def derive(self, sequence: SequenceNumbers, window: ReplayWindow) -> SecurityContext:
        """The context itself.

        Raises:
            DecodeError: identifiers that are equal or too long, an empty secret, a window that is none.
            UnsupportedError: an algorithm that we do not have.
        """
        if not len(self.master_secret) or not 0 < self.window <= _MAX_WINDOW:
            raise DecodeError(
                f"expected a master secret, and a replay window of 1 to {_MAX_WINDOW}", spec="RFC 8613 §3.2"
            )
        try:
            return SecurityContext.derive(
                self.master_secret,
                master_salt=self.master_salt,
                sender_id=self.sender_id,
                recipient_id=self.recipient_id,
                id_context=self.id_context,
                aead_id=self.aead_id,
                digest_id=self.digest_id,
                sequence=sequence,
                window=window,
            )
        except ValueError as error:
            raise DecodeError(f"expected {error}", spec="RFC 8613 §3.3") from error

    def check(self) -> OscoreParameters:
        """These parameters, if a context can be made of them.

        Raises:
            DecodeError, UnsupportedError: as for `derive`.
        """
        self.derive(SequenceNumbers(), ReplayWindow())
        return self


class Half(Enum):
    """Whose Sender Context a number belongs to, seen from the file's owner."""

    SENDER = "sender"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True)
class Sequences:
    """How far each half is spent.

    Attributes:
        sender: no number from here on was ever used; None where another holds this half.
        recipient: the same of the other party's half, which is here only while nobody was given it.
        is_new: nothing was ever received under it, so that an empty replay window is the true one.
    """

    sender: int | None
    recipient: int | None = None
    is_new: bool = False

    def of(self, half: Half) -> int | None:
        """The number of a half."""
        return self.sender if half is Half.SENDER else self.recipient


class ContextFile:
    """An open file, locked until `close`; made by `open` or `create`.

    Attributes:
        path: the file.
        parameters: of the context.
        sequences: as they stand on disk.
    """

    def __init__(self, path: Path, parameters: OscoreParameters, sequences: Sequences, lock: int) -> None:
        self.path = path
        self.parameters = parameters
        self.sequences = sequences
        self._lock = lock
        self._live: SequenceNumbers | None = None

    @classmethod
    def create(cls, path: Path, parameters: OscoreParameters, sequences: Sequences) -> ContextFile:
        """Write a file (mode 0600) that is not there yet.

        Raises:
            ConfigError: it is there, or its directory is not.
            DecodeError, UnsupportedError: no context can be made of the parameters.
            StorageError: the disk does not take it.
        """
        made = cls(path, parameters.check(), sequences, _lock(path))
        if path.exists():
            made.close()
            raise ConfigError(f"{path} is there already; a context is never written over")
        made._save(sequences)
        return made

    @classmethod
    def open(cls, path: Path) -> ContextFile:
        """Lock a file and read it.

        Raises:
            ConfigError: it is not there, others may read it, or another process uses it.
            DecodeError: it is damaged.
        """
        if not path.is_file():
            raise ConfigError(f"expected an OSCORE context at {path}; `thingstead oscore import` makes one")
        lock = _lock(path)
        try:
            parameters, sequences = _decode(_read(path))
            return cls(path, parameters.check(), sequences, lock)
        except BaseException:
            os.close(lock)
            raise

    def context(self) -> SecurityContext:
        """The context to send and receive under; from the next opening on its replay window counts as lost.

        Raises:
            StateError: this half was handed out, or all its numbers are spent.
            StorageError: the disk does not take note.
        """
        start = self._number(Half.SENDER)
        window = ReplayWindow(self.parameters.window, valid=self.sequences.is_new)
        self._save(Sequences(start, self.sequences.recipient))
        self._live = SequenceNumbers(start, reserved=start)
        return self.parameters.derive(self._live, window)

    def reserve(self, upto: int) -> None:
        """Make durable that numbers below `upto` are spent (RFC 8613 appendix B.1.1).

        Raises:
            StorageError: the disk does not take note; the numbers must not be used.
        """
        if upto > self._number(Half.SENDER):
            self._save(Sequences(min(upto, MAX_PARTIAL_IV + 1), self.sequences.recipient))

    def hand_out(self, half: Half, *, start: int | None = None) -> int:
        """Give a half away for good; returns where its numbers go on.

        Args:
            half: whose.
            start: where the other party's go on at least, of whose half nothing is known here.

        Raises:
            StateError: it is not here, and nobody says where its numbers go on.
            StorageError: the disk does not take note.
        """
        known = self.sequences.of(half)
        if known is None and half is Half.RECIPIENT and start is not None:
            number = start
        else:
            number = max(self._number(half), start or 0)
        sender = None if half is Half.SENDER else self.sequences.sender
        recipient = None if half is Half.RECIPIENT else self.sequences.recipient
        self._save(Sequences(sender, recipient, self.sequences.is_new))
        return number

    def close(self) -> None:
        """Give back what was reserved and not used, and let the next user in.

        Raises:
            StorageError: the disk does not take it; the reserved numbers stay spent.
        """
        try:
            if self._live is not None:
                self._save(Sequences(self._live.next, self.sequences.recipient))
                self._live.reserved = self._live.next
        finally:
            os.close(self._lock)

    def _number(self, half: Half) -> int:
        number = self.sequences.of(half)
        id_ = self.parameters.sender_id if half is Half.SENDER else self.parameters.recipient_id
        if number is None:
            raise StateError(
                f"the half of Sender ID {id_.hex() or 'empty'} is not in {self.path.name}: another party holds it",
                spec="RFC 8613 §7.2.1",
                reason="handed-out",
            )
        if number > MAX_PARTIAL_IV:
            raise StateError("the sender sequence numbers are used up", spec="RFC 8613 §7.2.1", reason="sequence")
        return number

    def _save(self, sequences: Sequences) -> None:
        write_whole(self.path, encode(self.parameters, sequences))
        self.sequences = sequences


def _lock(path: Path) -> int:
    return locked(path.with_name(path.name + ".lock"), f"another process uses the OSCORE context {path}")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            data = file.read(_MAX_SIZE + 1)
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    if stat.S_IMODE(about.st_mode) & 0o077:
        raise ConfigError(f"expected {path} to be closed to others (chmod 600): it holds keys")
    return data


def encode(parameters: OscoreParameters, sequences: Sequences) -> bytes:
    """The content of a file; holds the master secret in clear, as its mode 0600 expects."""
    id_context = parameters.id_context
    shown = {
        "format": _FORMAT,
        "master_secret": parameters.master_secret.reveal().hex(),
        "master_salt": parameters.master_salt.hex(),
        "sender_id": parameters.sender_id.hex(),
        "recipient_id": parameters.recipient_id.hex(),
        "id_context": None if id_context is None else id_context.hex(),
        "aead": int(parameters.aead_id),
        "digest": int(parameters.digest_id),
        "window": parameters.window,
        "sender_sequence": sequences.sender,
        "recipient_sequence": sequences.recipient,
        "new": sequences.is_new,
    }
    return json.dumps(shown, indent=1).encode() + b"\n"


def _decode(data: bytes) -> tuple[OscoreParameters, Sequences]:
    try:
        told = json.loads(data) if len(data) <= _MAX_SIZE else None
        if not isinstance(told, dict) or told.pop("format", None) != _FORMAT:
            raise DecodeError(f"expected an OSCORE context of the form {_FORMAT}")
        id_context = told.pop("id_context")
        parameters = OscoreParameters(
            Secret(bytes.fromhex(told.pop("master_secret"))),
            bytes.fromhex(told.pop("sender_id")),
            bytes.fromhex(told.pop("recipient_id")),
            bytes.fromhex(told.pop("master_salt")),
            None if id_context is None else bytes.fromhex(id_context),
            _integer(told.pop("aead")),
            _integer(told.pop("digest")),
            _integer(told.pop("window")),
        )
        sequences = Sequences(
            _number(told.pop("sender_sequence")), _number(told.pop("recipient_sequence")), told.pop("new") is True
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        # Not the error's own words: they may quote the secret.
        raise DecodeError(f"expected a whole OSCORE context of the form {_FORMAT}") from error
    if told:
        raise DecodeError(f"expected no {', '.join(map(repr, sorted(told)))[:80]} in an OSCORE context")
    return parameters, sequences


def _number(value: Any) -> int | None:
    if value is not None and _integer(value) < 0:
        raise ValueError
    return None if value is None else _integer(value)


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value > MAX_PARTIAL_IV + 1:
        raise ValueError
    return value
