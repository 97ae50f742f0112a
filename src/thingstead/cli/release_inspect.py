"""``thingstead release inspect``: a manifest as a story, and who has signed it."""

from __future__ import annotations

from pathlib import Path

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import read_file
from thingstead.cli.release_view import DIGEST_SHOWN, ENOUGH, RELEASE, open_release, record, story
from thingstead.domain import anchor as anchor_file
from thingstead.domain.anchor import TrustAnchor

__all__ = ["ANCHOR", "INSPECT", "anchor_of"]

_MAX_ANCHOR = 1 << 18
ANCHOR = Parameter("--anchor", "the maker's .anchor file: verify every signature under it")


def anchor_of(session: Session) -> TrustAnchor | None:
    """The anchor that was given, if one was.

    Raises:
        ConfigError: no file there.
        DecodeError: not an anchor.
    """
    if session.options["anchor"] is None:
        return None
    path: Path = session.path("anchor")
    return anchor_file.decode(read_file(path, max_bytes=_MAX_ANCHOR))


def _inspect(session: Session) -> int:
    opened, anchor = open_release(session), anchor_of(session)
    told = record(opened, anchor)
    session.console.show(told if session.console.as_json else story(told))
    name, digest = session.options["release"], told["manifest_digest"][:DIGEST_SHOWN]
    if anchor is None:
        session.console.next("thingstead release inspect", name, "--anchor", "MAKER.anchor")
    elif told["authentic"].startswith(ENOUGH):
        image = () if opened.folder is not None else ("IMAGE",)
        session.console.next("thingstead release publish", name, *image)
    else:
        session.console.next("thingstead release approve", name, "--key", "DIRECTORY", "--digest", digest)
    return 0


INSPECT = Action(
    (RELEASE, ANCHOR),
    _inspect,
    "Needs no domain, and executes nothing. Without --anchor nothing in it is proved.",
)
