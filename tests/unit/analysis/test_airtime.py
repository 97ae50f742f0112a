"""What a transfer costs a link is counted in messages of our own codecs."""

import pytest

from thingstead.analysis.airtime import transfer
from thingstead.analysis.link_profile import LINKS
from thingstead.protocols.coap import message
from thingstead.protocols.coap.registry import Code

IMAGE = 100_000


@pytest.mark.parametrize("name", LINKS)
def test_every_link_has_its_cost_and_more_bytes_cost_more(name):
    small, large = (transfer(size, LINKS[name]) for size in (1_000, IMAGE))
    assert 0 < small.air < large.air
    assert small.frames < large.frames
    assert large.octets > IMAGE
    assert large.elapsed >= large.air


@pytest.mark.spec("RFC 7959 2.2")
def test_blocks_are_those_of_the_block_size_chosen():
    for link in LINKS.values():
        found = transfer(IMAGE, link)
        if found.block_size:
            assert found.exchanges == -(-IMAGE // found.block_size)
            assert found.block_size in {16 << szx for szx in range(7)}


@pytest.mark.spec("RFC 8613 4")
def test_octets_are_those_of_protected_messages():
    found = transfer(1024, LINKS["NB-IoT"])
    bare = len(message.encode(message.request(Code.GET, "/update/image")))
    # Token 2, OSCORE option, Partial IV and kid, code and tag of 8: more than bare, less than doubled.
    assert found.exchanges == 1
    assert 1024 + bare + 16 < found.octets < 1024 + 2 * bare + 48


def test_a_long_range_link_may_be_on_the_air_one_part_in_a_hundred():
    found = transfer(IMAGE, LINKS["LoRaWAN DR0"])
    assert found.elapsed == pytest.approx(100 * found.air)
    assert found.elapsed > 86_400


def test_what_comes_four_times_a_day_takes_years():
    found = transfer(IMAGE, LINKS["Sigfox"])
    assert (found.block_size, found.exchanges) == (0, 0)
    assert found.elapsed > 365 * 86_400


def test_a_link_that_paces_its_frames_takes_that_long():
    found = transfer(IMAGE, LINKS["DECT ULE"])
    assert found.elapsed == pytest.approx(found.frames * 0.01)


def test_an_empty_body_is_one_exchange():
    assert transfer(0, LINKS["BLE"]).exchanges == 1
