"""``thingstead release sign`` and ``approve``: who signs signs what they were shown, and once."""

from __future__ import annotations

from collections.abc import Sequence

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.release_inspect import ANCHOR, anchor_of
from thingstead.cli.release_key import KEY_OPTION, TOKEN_OPTION, keys_of
from thingstead.cli.release_view import DIGEST_SHOWN, RELEASE, Opened, open_path, open_release, record, story
from thingstead.crypto.algorithm import REGISTRY
from thingstead.errors import AuthenticationError
from thingstead.phases import maintain
from thingstead.phases.maintain import SigningKey
from thingstead.protocols.suit import envelope
from thingstead.simulator.factory import open_maker
from thingstead.storage.directory import write_whole

__all__ = ["APPROVE", "COLLECT", "SIGN"]

_DIGEST = Parameter("--digest", "how its manifest's digest begins, as `release inspect` shows it")
_ANYBODY = ("key", "DIRECTORY")
_SHORTEST = 8


def _sign(session: Session) -> int:
    opened = open_release(session)
    _require_shown(session, opened)
    return _add_signatures(session, opened, keys_of(session))


def _approve(session: Session) -> int:
    opened, anchor = open_release(session), anchor_of(session)
    if session.options["digest"] is not None:
        _require_shown(session, opened)
        return _add_signatures(session, opened, keys_of(session))
    told = record(opened, anchor)
    session.console.show(told if session.console.as_json else story(told))
    whose = [(name, session.options[name]) for name in ("key", "token") if session.options[name] is not None]
    words = [
        session.options["release"],
        *[word for name, value in whose or [_ANYBODY] for word in (f"--{name}", value)],
    ]
    session.console.say("nothing is signed yet; whoever agrees with all of this repeats it with the digest:")
    session.console.next("thingstead release approve", *words, "--digest", told["manifest_digest"][:DIGEST_SHOWN])
    return 0


def _require_shown(session: Session, opened: Opened) -> None:
    """Nobody signs what was exchanged since they looked at it."""
    shown, digest = session.options["digest"], opened.envelope.digest.value.hex()
    if shown is None or len(shown) < _SHORTEST or not digest.startswith(shown.lower()):
        raise AuthenticationError(
            f"expected --digest {digest[:DIGEST_SHOWN]}, which is on this release: look at it with `release inspect`",
            reason="manifest-digest",
        )


def _add_signatures(session: Session, opened: Opened, keys: Sequence[SigningKey]) -> int:
    signing = maintain.yet_to_sign(opened.envelope, keys)
    if opened.folder is None:
        write_whole(opened.path, envelope.encode(maintain.sign_with(opened.envelope, signing)))
    else:
        statement = maintain.state(opened.envelope, opened.folder.members(), signing, signed=opened.folder.statement)
        opened.folder.sign(envelope.encode(maintain.sign_with(opened.envelope, signing)), statement)
    session.console.show(
        {
            "signed": opened.envelope.digest.value.hex(),
            "signatures": [f"{REGISTRY[one.signature_id].name} {one.kid.hex()}" for one, _ in signing],
            "of_all": len(opened.envelope.blocks) + len(signing),
        }
    )
    anchor = "MAKER.anchor"
    if session.options.get("maker") is not None:
        anchor = f"{session.options['maker']}/{open_maker(session.path('maker')).maker.name}.anchor"
    session.console.next("thingstead release inspect", session.options["release"], "--anchor", anchor)
    return 0


def _collect(session: Session) -> int:
    opened = open_release(session)
    copies = [open_path(session.directory.absolute() / path) for path in session.options["copies"]]
    before = len(opened.envelope.blocks)
    found = [(copy.envelope, b"" if copy.folder is None else copy.folder.statement) for copy in copies]
    statement = b"" if opened.folder is None else opened.folder.statement
    signed, statement = maintain.collect(opened.envelope, statement, found)
    if opened.folder is None:
        write_whole(opened.path, envelope.encode(signed))
    else:
        opened.folder.sign(envelope.encode(signed), statement)
    session.console.show({"collected": len(signed.blocks) - before, "of_all": len(signed.blocks)})
    session.console.next("thingstead release inspect", session.options["release"], "--anchor", "MAKER.anchor")
    return 0


SIGN = Action(
    (
        RELEASE,
        Parameter("--maker", "the maker's directory: every release key in it signs"),
        KEY_OPTION,
        TOKEN_OPTION,
        Parameter("--mac", "file of 32 bytes that sender and things share: a MAC, for a few things that say so"),
        Parameter("--kid", "with --mac: what things call that key, in hexadecimal"),
        _DIGEST,
    ),
    _sign,
    "Adds one block for each key that has not signed yet, and signs with it what goes with the release.",
)
APPROVE = Action(
    (RELEASE, KEY_OPTION, TOKEN_OPTION, ANCHOR, _DIGEST),
    _approve,
    "Each person on a machine of their own: first it shows what things will do, and the second time, with the digest\n"
    "that was shown, it signs.",
)
COLLECT = Action(
    (RELEASE, Parameter("copies", "copies of the same release that people signed elsewhere", many=True)),
    _collect,
    "One signature of each signer; it proves nothing. A copy of another release, or with other files, is refused.",
)
