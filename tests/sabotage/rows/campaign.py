"""What campaigns promise."""

from collections.abc import Callable
from typing import Any

from tests.sabotage.replacement import Sabotage, accepts, returns


def _forgets_places(original: Callable[..., Any]) -> Callable[..., Any]:
    """A next life begins with every place free."""

    def taken_up(*arguments: Any) -> Any:
        live = original(*arguments)
        live.away.clear()
        return live

    return taken_up


_C = "thingstead.domain.campaign:Campaign."
_P = "thingstead.planes.software."
ROWS = (
    Sabotage("R-69", _P + "campaign_view:story", returns([]), "before and after, people are told in plain words"),
    Sabotage("R-72", _C + "_is_in_hours", returns(True), "nobody begins in quiet hours"),
    Sabotage("R-72", "thingstead.domain.campaign_plan:Hours.holds", returns(False), "hours are read from the clock"),
    Sabotage("R-72", "thingstead.domain.campaign_plan:Share.at_most", returns(1 << 20), "a share of a zone bounds it"),
    Sabotage("R-72", _P + "campaigns:Campaigns._is_behind", returns(False), "what has to be first is first"),
    Sabotage("R-72", _P + "campaigns:Campaigns.is_kept", returns(True), "a place is on disk before its thing hears"),
    Sabotage("R-72", _P + "campaign_store:CampaignStore.take_up", _forgets_places, "places outlive a kill"),
    Sabotage("R-72", _P + "campaigns:Campaigns._supersede", accepts, "who updated to an older release leaves its zone"),
)
