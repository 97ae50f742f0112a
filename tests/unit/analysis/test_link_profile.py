"""Links take the time that their standard or data sheet says."""

import pytest

from thingstead.analysis.link_profile import DEVICE_CLASSES, LINKS


def test_lora_takes_the_time_of_its_data_sheet():
    # 51 octets and 13 of LoRaWAN at SF12, 125 kHz, 4/5: 2793.5 ms by the formula of AN1200.13.
    assert LINKS["LoRaWAN DR0"].air(51) == pytest.approx(2.7935, abs=0.001)
    # 64 octets at SF7: 118.0 ms.
    assert LINKS["LoRaWAN DR5"].air(51) == pytest.approx(0.1180, abs=0.001)


def test_every_frame_takes_time_and_a_longer_one_more():
    for name, link in LINKS.items():
        assert link.name == name
        assert 0 < link.air(1) < link.air(link.frame)
        assert 0 < link.duty <= 1
        assert link.fragment_header < link.frame
        assert link.source


@pytest.mark.spec("RFC 7228 3")
def test_classes_grow():
    assert [one.name for one in DEVICE_CLASSES] == ["C0", "C1", "C2"]
    assert DEVICE_CLASSES[1].flash < DEVICE_CLASSES[2].flash
