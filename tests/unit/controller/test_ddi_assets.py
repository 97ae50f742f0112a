from datetime import timedelta

import pytest

from tests.unit.domain.things import AT
from tests.unit.web.ddi_desk import DEVICE, OTHER, DdiDesk
from thingstead.controller.ddi_assets import ddi_assets
from thingstead.domain.crypto_asset import AssetKind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.thing import DDI_CERTIFICATE, KeyRow

END = AT + timedelta(days=7000)
CERTIFIED = KeyRow(bytes(32), DDI_CERTIFICATE, AT, AT + timedelta(days=730))


def test_each_proof_is_listed_and_what_all_of_them_rest_on():
    found = list(ddi_assets([(DEVICE, DEVICE.keys), (OTHER, (CERTIFIED,))], authority_expires=END))
    assert [(one.kind, one.things, one.until) for one in found] == [
        (AssetKind.CERTIFICATE, (DEVICE.id, OTHER.id), END),
        (AssetKind.PROTOCOL, (DEVICE.id, OTHER.id), None),
        (AssetKind.TOKEN, (DEVICE.id,), None),
        (AssetKind.CERTIFICATE, (OTHER.id,), CERTIFIED.until),
    ]


@pytest.mark.requirement("R-86")
def test_the_door_lists_what_counts_now_and_nothing_where_nobody_is_served():
    desk = DdiDesk()
    assert list(desk.door.assets()) == []
    desk.door.authority_expires = END
    desk.change(DEVICE.evolve(state=LifecycleState.DECOMMISSIONED))
    assert {thing for one in desk.door.assets() for thing in one.things} == {OTHER.id}
