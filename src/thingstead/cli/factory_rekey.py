"""``thingstead factory rekey``: a maker's next release keys, step by step."""

from __future__ import annotations

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import whole
from thingstead.clock import SystemClock
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import ConfigError
from thingstead.protocols.profile.key_set import KeySet
from thingstead.simulator import maker_rekey
from thingstead.simulator.factory import open_maker

__all__ = ["REKEY"]

_STEPS = ("introduce", "retire", "take-back", "go-back")
_NEXT = {"introduce": "start", "retire": "retire", "take-back": "rollback", "go-back": "rollback"}


def _rekey(session: Session) -> int:
    options, at = session.options, SystemClock().utc()
    maker, step = open_maker(session.path("maker")), options["step"]
    if step == "introduce":
        after = _introduced(session)
    elif options["keys"] is not None or options["keep"] or options["hybrid"] or options["threshold"]:
        raise ConfigError("which keys come is said where they are introduced")
    else:
        walk = {"retire": maker_rekey.retire, "take-back": maker_rekey.take_back, "go-back": maker_rekey.go_back}
        after = walk[step](maker, at=at)
    keys = after.update_keys
    session.console.show(
        {
            "maker": after.maker,
            "step": keys.number,
            "anchor": str(maker.anchor),
            "release_keys": [key.type.name for key in after.release_keys],
            "must_sign": str(KeySet(after.release_keys, after.signing)),
            "in_overlap": keys.incoming is not None,
        }
    )
    session.console.next(f"thingstead crypto migrate {_NEXT[step]}", maker.anchor, "--domain", "DOMAIN")
    return 0


def _introduced(session: Session) -> TrustAnchor:
    options = session.options
    if options["keys"] is None:
        raise ConfigError("say which keys shall come: --keys ml-dsa-65")
    return maker_rekey.introduce(
        open_maker(session.path("maker")),
        options["keys"].split(","),
        keeps=options["keep"],
        threshold=options["threshold"],
        is_hybrid=options["hybrid"],
        at=SystemClock().utc(),
    )


REKEY = Action(
    (
        Parameter("maker", "the maker's directory"),
        Parameter("step", "what is signed", choices=_STEPS),
        Parameter("--keys", "release keys to make and introduce, such as ml-dsa-65"),
        Parameter("--keep", "the old keys stay beside them in the end", read=None),
        Parameter("--threshold", "how many of those must sign a release then; else all", read=whole(1, 16), default=0),
        Parameter("--hybrid", "ask so many, or one, of the classical and of the post-quantum ones each", read=None),
    ),
    _rekey,
    "Each step goes into NAME.anchor, signed by the keys of before; owners get the file and take it with\n"
    "`thingstead crypto migrate`. From introduce to retire or take-back a release has to carry old and new signatures.",
)
