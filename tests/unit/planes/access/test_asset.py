from datetime import UTC, datetime

import pytest

from thingstead.domain.crypto_asset import AssetKind
from thingstead.planes.access.asset import SIGNED, asset_of
from thingstead.planes.access.issued_tokens import IssuedToken

AT = datetime(2027, 1, 1, tzinfo=UTC)
LAMP, SENSOR = "thing-aaaaaaaaaaaaaaaa", "thing-bbbbbbbbbbbbbbbb"


@pytest.mark.requirement("R-86")
@pytest.mark.parametrize(
    ("subject", "audience", "things"),
    [(SENSOR, LAMP, (SENSOR, LAMP)), ("maintainer:eve", LAMP, (LAMP,)), ("", "", ())],
)
def test_on_a_token_for_a_thing_both_depend_that_are_things(subject, audience, things):
    asset = asset_of(IssuedToken(subject, audience, AT))
    assert (asset.kind, asset.algorithms, asset.things, asset.until) == (AssetKind.TOKEN, SIGNED, things, AT)
