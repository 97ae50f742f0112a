"""``thingstead install-code``: a thing comes in by the code on its label."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from thingstead.cli.action import Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import read_file, whole
from thingstead.cli.remote import remote
from thingstead.errors import ConfigError
from thingstead.protocols.profile.install_code import parse_code

__all__ = ["ADD", "LIST", "REMOVE"]

_SERIAL = Parameter("serial", "the thing's serial number, which stands beside the code")
_VIEW = View(
    (("serial", "serial"), ("state", "state"), ("tries", "tries"), ("expires", "expires")),
    empty="no install code was added: nothing comes in by one",
)


_LONGEST = 256


def _read_code(session: Session, arguments: dict[str, Any]) -> None:
    """Have the code from where no list of processes shows it; a slip of the pen is found before anything is asked.

    Raises:
        ConfigError: given twice, or a file that cannot be read.
        DecodeError: no code.
    """
    file = arguments.pop("file", None)
    if file is not None:
        if arguments["code"]:
            raise ConfigError("expected the code as a word, or in a file; not both")
        arguments["code"] = read_file(session.path("file"), max_bytes=_LONGEST).decode("utf-8", "replace")
    elif not arguments["code"]:
        is_typed = sys.stdin.isatty()
        arguments["code"] = getpass.getpass("code on the label: ") if is_typed else sys.stdin.readline(_LONGEST)
    parse_code(arguments["code"])


ADD = remote(
    "install-code.add",
    _SERIAL,
    Parameter("code", "30 letters and digits; left out, it is asked for, or read from standard input", default=""),
    Parameter("--file", "file that the code stands in"),
    Parameter("--days", "for how long it may be used", read=whole(1, 365), default=7),
    then="thingstead install-code list",
    description="For a thing whose maker vouches for neither it nor you. The code is used once, and locked when\n"
    "it was named five times; who holds the label meanwhile can pass for the thing. A rule of the policy that names\n"
    'makers = ["install code"] says what the thing may do; without one it is refused as any other.\n\n'
    "As a word, the code is seen by whoever lists the processes, and stays in the shell's history.",
    prepare=_read_code,
)
LIST = remote("install-code.list", view=_VIEW, then="thingstead thing list")
REMOVE = remote(
    "install-code.remove",
    _SERIAL,
    then="thingstead install-code list",
    description="A thing that came in by it stays in: quarantine or retire that.",
)
