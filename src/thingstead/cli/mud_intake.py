"""``thingstead mud``, of a running domain: where things say that their MUD files are, and who decides on it."""

from __future__ import annotations

import base64
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import mud_text, read_file
from thingstead.cli.remote import DOMAIN, THING, ask, remote
from thingstead.crypto.certificate import load_certificate

__all__ = ["APPROVE", "HOOK", "NAMES", "REFUSE", "REVIEW", "SAY", "URLS"]

_URL = Parameter("url", "that waits, as `thingstead mud urls` shows it")
_URLS = View(
    (
        ("thing", "thing"),
        ("device", "mac"),
        ("MUD file", "mud_url"),
        ("said by", "source"),
        ("which is", "trust"),
        ("waits", "waiting"),
    ),
    empty="no thing is known here, and nobody says where a MUD file is",
)
_REVIEW = View(
    (("MUD file", "url"), ("said by", "source"), ("which is", "trust"), ("allows more", "more"), ("less", "less")),
    empty="nothing waits: the thing says of itself what is known of it",
)
_NAMES = View(
    (("name", "name"), ("stands for", "addresses"), ("shared", "shared")),
    empty="no name is open: no thing has asked for one that its file names, or its time is over",
)
_CARRIERS = {True: "dhcpv6", False: "dhcpv4"}


def _after_urls(rows: Any) -> str:
    waiting = [row for row in rows if row["thing"] and row["waiting"]]
    return f"thingstead mud review {waiting[0]['thing']}" if waiting else "thingstead thing list"


def _after_review(rows: Any) -> str:
    return f"thingstead mud approve {rows[0]['thing']} {rows[0]['url']}" if rows else "thingstead mud urls"


def _with_files(session: Session, arguments: dict[str, Any]) -> None:
    if "file" in arguments:
        arguments["file"] = mud_text(session.path("file"))
    if "certificate" in arguments:
        certificate = load_certificate(read_file(session.path("certificate"), max_bytes=1 << 16))
        arguments["certificate"] = base64.urlsafe_b64encode(certificate.der).decode("ascii")


def _hook(session: Session) -> int:
    """What dnsmasq runs: it knows nothing of us, so that what is none of ours is passed over in silence."""
    url = session.environment.get("DNSMASQ_MUD_URL", "")
    if session.options["event"] not in {"add", "old"} or not url:
        return 0
    is_six = ":" in session.options["address"]
    mac = session.environment.get("DNSMASQ_MAC", "") if is_six else session.options["client"]
    if mac:
        session.console.show(ask(session, "mud.heard", {"mac": mac, "url": url, "carrier": _CARRIERS[is_six]}))
    return 0


URLS = remote(
    "mud.urls",
    view=_URLS,
    then=_after_urls,
    description="What a device emits proves no more than its link-layer address: it waits, and changes nothing.",
)
REVIEW = remote(
    "mud.review",
    THING,
    view=_REVIEW,
    then=_after_review,
    description="Fetches the file that waits, verifies it, and compares it with the one that counts.",
)
APPROVE = remote("mud.approve", THING, _URL, then="thingstead thing show {thing}")
REFUSE = remote("mud.refuse", THING, _URL, then="thingstead mud urls")
NAMES = remote(
    "network.names",
    view=_NAMES,
    then="thingstead mud urls",
    description="With `[names] enabled` they are learned from what things are told, and end when that has run out.",
)
SAY = remote(
    "thing.mud",
    THING,
    Parameter("--url", "where its file is, by your own word"),
    Parameter("--code", "text of the QR code on its label (RFC 9238)"),
    Parameter("--certificate", "its own, PEM or DER, signed by its maker's authority"),
    Parameter("--file", "MUD file that you vouch for yourself, such as `thingstead network propose` makes"),
    then="thingstead mud urls",
    description="Without any of them it shows who says what. The file is fetched and verified before it counts; with\n"
    "--file it is yours, at a URL at which nobody else can serve another. --url of its maker's file undoes that.",
    prepare=_with_files,
)
HOOK = Action(
    (
        Parameter("event", "add, old or del, as dnsmasq says"),
        Parameter("client", "MAC address, or DHCPv6 identifier"),
        Parameter("address", "that it got"),
        Parameter("host", "name that it asked for", default=""),
        DOMAIN,
    ),
    _hook,
    'For `--dhcp-script` of dnsmasq 2.82 or later, by a script of one line: exec thingstead mud hook --domain D "$@"\n'
    "`--script-on-renewal` has it say again what could not be heard.",
)
