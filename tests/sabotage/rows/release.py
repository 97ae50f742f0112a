"""Controls that stand between a maker's release and the things that it is for."""

from dataclasses import replace

from tests.sabotage.replacement import Sabotage, accepts, argument, returns


def _roomy(original):
    """Whatever the numbers are, there is room."""
    return lambda load, device: replace(original(load, device), is_safe=True)


def _idle(_original):
    """Nothing is done."""

    async def nothing(*_args):
        return False

    return nothing


_A = "thingstead.analysis."
_S = "thingstead.planes.software."
_T = "thingstead.phases.type_test:"
_C = "thingstead.controller."
_D = "thingstead.domain.release_result:"
_W = "thingstead.controller.vulnerability_watch:VulnerabilityWatch."
ROWS = (
    Sabotage("R-18", _A + "vulnerability:_listed", returns(""), "a version that a record lists is affected"),
    Sabotage("R-18", _A + "vulnerability:_in_range", returns(False), "a version in a range is affected"),
    Sabotage("R-18", _A + "release_check:_parts", returns([]), "a release says what it is made of"),
    Sabotage("R-18", _S + "vulnerability_shelf:VulnerabilityShelf.exposures", returns(()), "things are looked at"),
    Sabotage("R-18", _W + "_quarantine", _idle, "what is critical is cut off"),
    Sabotage("R-18", _W + "_tell", _idle, "what is known is told"),
    Sabotage("R-84", _D + "_agrees", returns(True), "a verdict is what the checks come to"),
    Sabotage("R-84", "thingstead.protocols.receipts.receipt:authenticate", accepts, "the ledger's key has signed"),
    Sabotage("R-84", _S + "examination:Examination.judge", accepts, "each concern has an outcome"),
    Sabotage("R-84", _S + "result_shelf:ResultShelf.changes", returns({}), "what the checks came to is kept"),
    Sabotage("R-84", _T + "_is_success", returns(False), "what is served to a stranger is found"),
    Sabotage("R-84", _T + "_is_protected", returns(False), "published keys and replays are found"),
    Sabotage("R-84", _C + "type_watch:TypeWatch.look", _idle, "a new type is tested"),
    Sabotage("R-84", _C + "type_watch:_entries", returns([]), "what a test came to is on the ledger"),
    Sabotage("R-84", _C + "baiting:Baiting.poll", argument(1), "a thing is offered what it must refuse"),
    Sabotage("R-84", _C + "baiting:Baiting.image", argument(1), "who asks for the image of a bait is found"),
    Sabotage("R-88", _A + "release_check:_image", returns([]), "an image with findings is not published"),
    Sabotage("R-75", _A + "agility:_by_present_means", returns([]), "what things cannot verify is unsafe"),
    Sabotage("R-75", _A + "agility:_has_room", _roomy, "two images must fit"),
    Sabotage("R-75", _A + "release_check:_agility", returns([]), "an unsafe change of algorithms is refused"),
    Sabotage("R-75", _S + "publication:_refuse", accepts, "what the policy refuses is not offered"),
)
