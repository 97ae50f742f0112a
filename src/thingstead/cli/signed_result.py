"""What ``release`` and ``type`` have alike: a result that is shown, written with its signature, and verified."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from thingstead.cli.action import Parameter, Session
from thingstead.cli.input import read_file
from thingstead.cli.remote import ask
from thingstead.crypto.key import PublicKey
from thingstead.protocols.cose import key as cose_key
from thingstead.storage.directory import write_whole

__all__ = ["LEDGER_KEY", "OUTPUT", "VERIFIED", "proof", "show"]

_MAX_KEY, _MAX_FILE = 1 << 12, 1 << 21

OUTPUT = Parameter("--output", "file to write the result to, with the ledger's signature")
LEDGER_KEY = Parameter("--key", "the ledger's public key, which lies beside the signed head", required=True)
VERIFIED = (
    "Needs no domain, and nobody's word but the ledger's key. It proves what was found, not that there is no more."
)


def show(session: Session, area: str, name: str, told: Callable[[bytes], dict[str, Any]]) -> int:
    """Show a result, or write it.

    Args:
        session: of the command.
        area: first word of command and operation.
        name: of the argument that names the result.
        told: what is shown of it.
    """
    which, output = session.options[name], session.options["output"]
    answer: dict[str, Any] = ask(session, f"{area}.result", {name: which})
    if output is None:
        session.console.show(told(base64.b64decode(answer["result"])))
        session.console.next(f"thingstead {area} result", which, "--output", f"{area}.result")
        return 0
    target = session.path("output")
    write_whole(target, base64.b64decode(answer["signed"]))
    session.console.show({"written": str(target), "entry": answer["entry"]})
    session.console.next(f"thingstead {area} verify-result", output, "--key", "LEDGER.key")
    return 0


def proof(session: Session) -> tuple[bytes, PublicKey]:
    """A file with a signed result, of which nothing is proved yet, and the key that it is proved by."""
    public = cose_key.decode(read_file(session.path("key"), max_bytes=_MAX_KEY)).require_public()
    return read_file(session.path("file"), max_bytes=_MAX_FILE), public
