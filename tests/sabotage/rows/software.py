"""What SUIT and the software plane promise."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from tests.sabotage.replacement import Sabotage, accepts, returns


def _believes(_original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _block, _signed, _anchors, policy, _context: set(policy.required)


def _believes_all(_original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _steps, image: SimpleNamespace(value=hashlib.sha256(image).digest())


def _content_with_one(original: Callable[..., Any]) -> Callable[..., Any]:
    def lenient(*arguments: Any) -> Any:
        keys, policy = original(*arguments)
        return keys, replace(policy, at_least=1, of_each=())

    return lenient


def _overwrites(_original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda pointer, component: pointer.active(component)


def _confirms(_original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda updating, _error: updating._confirm()


_P = "thingstead.protocols."
_A = "thingstead.agent."
_S = "thingstead.planes.software."
ROWS = (
    Sabotage("R-29", _P + "cose.sign1:verify", accepts, "each signature of a release verifies"),
    Sabotage("R-29", _P + "suit.authentication:_signers_of", _believes, "every required signer has signed"),
    Sabotage("R-29", _P + "suit.digest:Digest.verify", accepts, "manifest and image are those signed"),
    Sabotage("R-29", _P + "suit.step:_identifier", returns(()), "vendor and class are the thing's own"),
    Sabotage("R-29", _P + "suit.step:_is_past", returns(False), "an expired release is refused"),
    Sabotage("R-29", _P + "suit.processor:_require_newer", accepts, "an older release is refused"),
    Sabotage("R-29", _P + "profile.release:authentication", _content_with_one, "every key of the maker signs"),
    Sabotage(
        "R-29",
        _S + "rehearsal:rehearse",
        _believes_all,
        "the domain publishes only what a thing would install",
    ),
    Sabotage("R-09", _S + "status_tracker:StatusTracker._drop", accepts, "who is taken out gets no updates"),
    Sabotage("R-70", _P + "suit.authentication:_signers_of", _believes, "the thing itself verifies signatures"),
    Sabotage(
        "R-71", _A + "update_attempt:UpdateAttempt._compare", returns(True), "plaintext is what the maker digested"
    ),
    Sabotage("R-73", _A + "slot_pointer:Pointer.candidate", _overwrites, "the running image is left alone"),
    Sabotage("R-73", _A + "file_slots:FileSlots._flush", accepts, "an image is on the disk before it is pointed to"),
    Sabotage("R-73", _A + "updating:Updating._boot", accepts, "a release under which a thing falls over goes back"),
    Sabotage("R-73", _A + "updating:Updating._revert", _confirms, "a release that does not prove itself goes back"),
    Sabotage("R-88", "thingstead.analysis.image_scan:judge", returns([]), "images are looked through"),
)
