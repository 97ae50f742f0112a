"""``thingstead publication``: releases that wait for a second person."""

from __future__ import annotations

from thingstead.cli.action import Parameter
from thingstead.cli.console import View
from thingstead.cli.remote import remote

__all__ = ["APPROVE", "LIST", "WITHDRAW"]

_MANIFEST = Parameter("manifest", "how the digest of its manifest begins")
_VIEW = View(
    (
        ("manifest", "manifest"),
        ("class", "model"),
        ("version", "version"),
        ("by", "by"),
        ("because", "because"),
        ("reasons", "reasons"),
    ),
    empty="no release waits for a second person",
)

LIST = remote(
    "publication.list",
    view=_VIEW,
    then="thingstead publication approve {manifest} {reasons}",
    description="A release that your policy holds is offered to nobody until somebody says so who did not bring it.",
)
APPROVE = remote(
    "publication.approve",
    _MANIFEST,
    Parameter("reasons", "names what speaks against it, as `publication list` shows it"),
    then="thingstead release list",
    description=(
        "Look at the reasons first: who approves says which they were shown. The release is verified and weighed\n"
        "again: what has come up meanwhile holds it again, or refuses it."
    ),
)
WITHDRAW = remote("publication.withdraw", _MANIFEST, then="thingstead publication list")
