"""``thingstead thing add`` and ``thing token``: devices that speak hawkBit's API, and what they prove themselves by."""

from __future__ import annotations

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import read_file
from thingstead.cli.remote import AS, DOMAIN, THING, ask
from thingstead.storage.directory import write_whole

__all__ = ["ADD", "TOKEN"]

_LARGEST_REQUEST = 1 << 14
_SHOWN_ONCE = (
    "The token is shown this once, and kept as its SHA-256. It goes into the device's settings: `targettoken` of\n"
    "swupdate, `auth_token` of rauc-hawkbit-updater. Whoever has it can pass for the device until that gets another\n"
    "one (`thing token`), is quarantined or retired.\n\n"
    "With --request the device gets a certificate for its own key instead, written to THING.pem, for two years."
)
_REQUEST = Parameter("--request", "file with a certification request of the device's key (`openssl req -new`)")


def _asking(operation: str, *parameters: Parameter, description: str) -> Action:
    def run(session: Session) -> int:
        given = {one.key: session.options[one.key] for one in parameters if session.options[one.key] is not None}
        if "request" in given:
            given["request"] = read_file(session.path("request"), max_bytes=_LARGEST_REQUEST).decode("utf-8", "replace")
        told = ask(session, operation, given)
        if "certificate" in told:
            target = session.directory / f"{told['thing']}.pem"
            write_whole(target, told["certificate"].encode())
            told["certificate"] = str(target)
        session.console.show(told)
        session.console.next("thingstead thing show", told["thing"])
        return 0

    return Action((*parameters, DOMAIN, AS), run, description)


ADD = _asking(
    "thing.add",
    Parameter("--maker", "name of its maker's anchor, whose releases it gets", required=True),
    Parameter("--model", "the maker's word for the type", required=True),
    Parameter("--serial", "the maker's number of this one", required=True),
    Parameter("--zone", "where it is"),
    Parameter("--mud-url", "of its MUD file"),
    Parameter(
        "--verifies-images",
        "its updater installs only what its maker signed; else it is kept off the Internet",
        read=None,
    ),
    _REQUEST,
    description="For a Linux device that runs swupdate or RAUC and speaks none of our protocols. It proves nothing\n"
    f"but its token: that it is what you say, you vouch for.\n\n{_SHOWN_ONCE}",
)
TOKEN = _asking("thing.token", THING, _REQUEST, description=_SHOWN_ONCE)
