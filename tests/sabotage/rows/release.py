"""Controls that stand between a maker's release and the things that it is for."""

from dataclasses import replace

from tests.sabotage.replacement import Sabotage, accepts, returns


def _roomy(original):
    """Whatever the numbers are, there is room."""
    return lambda load, device: replace(original(load, device), is_safe=True)


_A = "thingstead.analysis."
_S = "thingstead.planes.software."
ROWS = (
    Sabotage("R-88", _A + "release_check:_image", returns([]), "an image with findings is not published"),
    Sabotage("R-75", _A + "agility:_by_present_means", returns([]), "what things cannot verify is unsafe"),
    Sabotage("R-75", _A + "agility:_has_room", _roomy, "two images must fit"),
    Sabotage("R-75", _A + "release_check:_agility", returns([]), "an unsafe change of algorithms is refused"),
    Sabotage("R-75", _S + "publication:_refuse", accepts, "what the policy refuses is not offered"),
)
