"""``thingstead install-code``: a thing comes in by the code on its label."""

from __future__ import annotations

from typing import Any

from thingstead.cli.action import Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import whole
from thingstead.cli.remote import remote
from thingstead.protocols.profile.install_code import parse_code

__all__ = ["ADD", "LIST", "REMOVE"]

_SERIAL = Parameter("serial", "the thing's serial number, which stands beside the code")
_VIEW = View(
    (("serial", "serial"), ("state", "state"), ("tries", "tries"), ("expires", "expires")),
    empty="no install code was added: nothing comes in by one",
)


def _check(_session: Session, arguments: dict[str, Any]) -> None:
    """A slip of the pen is found here, before anything is asked."""
    parse_code(arguments["code"])


ADD = remote(
    "install-code.add",
    _SERIAL,
    Parameter("code", "30 letters and digits; hyphens, spaces and case do not count"),
    Parameter("--days", "for how long it may be used", read=whole(1, 365), default=7),
    then="thingstead install-code list",
    description="For a thing whose maker vouches for neither it nor you. The code is used once, and locked when\n"
    "it was named five times; who holds the label meanwhile can pass for the thing. A rule of the policy that names\n"
    'makers = ["install code"] says what the thing may do; without one it is refused as any other.',
    prepare=_check,
)
LIST = remote("install-code.list", view=_VIEW, then="thingstead thing list")
REMOVE = remote(
    "install-code.remove",
    _SERIAL,
    then="thingstead install-code list",
    description="A thing that came in by it stays in: quarantine or retire that.",
)
