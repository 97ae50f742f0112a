"""A body that comes block by block, and goes on where it was interrupted."""

from dataclasses import replace

import pytest

from tests.unit.agent.updates import LOST, Domain
from thingstead.agent import image_download
from thingstead.agent.ports import Area, Download
from thingstead.agent.story import Request
from thingstead.errors import DecodeError, StorageError, ThingsteadError, TransportError
from thingstead.protocols.coap.block import Block
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.profile import path
from thingstead.protocols.profile.release import FIRMWARE
from thingstead.simulator.virtual.memory import MemorySlots

pytestmark = pytest.mark.spec("RFC 7959 2.4")

IMAGE = bytes(index * 7 % 251 for index in range(40_000))
GOAL = Download(b"manifest", FIRMWARE, Area.CANDIDATE, b"", 0)
CANDIDATE = Area.CANDIDATE, FIRMWARE


def fetched(slots, domain, *, goal=GOAL, size=None):
    """Drive a download to its end."""
    size = len(domain.image) if size is None else size
    story = image_download.fetch(slots, goal, asked=request(Code.GET, path.UPDATE_IMAGE), size=size)
    try:
        step = next(story)
        while True:
            assert isinstance(step, Request)
            try:
                answer = domain.answer(step.message)
            except ThingsteadError as error:
                step = story.throw(error)
            else:
                step = story.send(answer)
    except StopIteration as end:
        return end.value


def candidate(slots):
    return slots.read(*CANDIDATE, 0, 1 << 20)


@pytest.fixture
def slots():
    return MemorySlots(b"old")


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 4096, 16384, 40_000])
@pytest.mark.parametrize("szx", [2, 6])
def test_a_body_of_any_size_comes_whole_in_blocks_of_the_server_s_size(slots, size, szx):
    domain = Domain(image=IMAGE[:size], szx=szx)
    assert fetched(slots, domain) is False
    assert candidate(slots) == IMAGE[:size]
    assert len(domain.blocks) == -(-size // (16 << szx))


@pytest.mark.requirement("R-73")
@pytest.mark.parametrize("lost", [0, 1024, 3072, 4096, 16_384, 39_936])
def test_an_interrupted_download_goes_on_at_the_block_that_was_lost(slots, lost):
    domain = Domain(image=IMAGE, lose_at={lost})
    with pytest.raises(TransportError):
        fetched(slots, domain)
    domain.blocks.clear()
    assert fetched(slots, domain) is bool(lost)
    assert domain.blocks[0] == lost
    assert candidate(slots) == IMAGE


@pytest.mark.requirement("R-73")
def test_a_power_cut_costs_no_more_than_what_was_not_yet_said_to_be_on_disk(slots):
    domain = Domain(image=IMAGE)

    class PowerCutError(Exception):
        pass

    def cut(offset):
        if offset == 30_720:
            raise PowerCutError

    domain.on_block = cut
    with pytest.raises(PowerCutError):
        fetched(slots, domain)
    domain.on_block = lambda _offset: None
    domain.blocks.clear()
    assert fetched(slots, domain) is True
    assert domain.blocks[0] == 16_384
    assert candidate(slots) == IMAGE


def test_what_came_whole_is_not_asked_for_again(slots):
    domain = Domain(image=IMAGE)
    fetched(slots, domain)
    domain.blocks.clear()
    assert fetched(slots, domain) is True
    assert domain.blocks == []


@pytest.mark.parametrize("field", [{"manifest_digest": b"other"}, {"area": Area.STAGING}])
def test_another_download_begins_at_the_start(slots, field):
    domain = Domain(image=IMAGE, lose_at={20_480})
    with pytest.raises(TransportError):
        fetched(slots, domain)
    domain.blocks.clear()
    assert fetched(slots, domain, goal=replace(GOAL, **field)) is False
    assert domain.blocks[0] == 0


def test_a_representation_that_changed_begins_anew(slots):
    domain = Domain(image=IMAGE, lose_at={20_480})
    with pytest.raises(TransportError):
        fetched(slots, domain)
    domain.image = bytes(len(IMAGE))
    fetched(slots, domain)
    assert candidate(slots) == bytes(len(IMAGE))


def test_a_shorter_one_in_its_place_is_told_by_its_size(slots):
    domain = Domain(image=IMAGE, lose_at={20_480})
    with pytest.raises(TransportError):
        fetched(slots, domain)
    domain.image = IMAGE[:5000]
    with pytest.raises(DecodeError, match="40000 bytes"):
        fetched(slots, domain, size=len(IMAGE))


def test_one_that_changes_all_the_time_is_given_up(slots):
    domain = Domain(image=IMAGE)

    def change(offset):
        if offset:
            domain.image = bytes([domain.image[0] ^ 1]) + IMAGE[1:]

    domain.on_block = change
    with pytest.raises(TransportError, match="faster"):
        fetched(slots, domain)


class Wrong(Domain):
    """Answers the second block with something else."""

    wrong = Message(Code.CONTENT)

    def answer(self, message):
        return self.wrong if len(self.blocks) == 1 else super().answer(message)


def piece(num, more, szx, payload, etag=None):
    options = [] if etag is None else [(OptionNumber.ETAG, etag)]
    options.append((OptionNumber.BLOCK2, Block(num, more, szx).encode()))
    return Message(Code.CONTENT, payload=payload).with_options(*options)


@pytest.mark.parametrize(
    "wrong",
    [
        piece(2, True, 6, IMAGE[2048:3072]),
        piece(0, True, 6, IMAGE[:1024]),
        piece(1, True, 6, IMAGE[1024:2047]),
        piece(1, False, 6, IMAGE[1024:2048]),
        piece(1, True, 6, IMAGE[1024:]),
        Message(Code.CONTENT, payload=IMAGE),
        Message(Code.CONTENT, payload=b"").with_options((OptionNumber.BLOCK2, b"\x17")),
        Message(Code.CONTENT, payload=b"").with_options((OptionNumber.BLOCK2, b"\x17\x00\x00\x00")),
    ],
    ids=["later", "earlier", "short", "last", "long", "whole", "reserved size", "no block"],
)
def test_a_block_that_was_not_asked_for_is_refused(slots, wrong):
    domain = Wrong(image=IMAGE)
    etag = domain.answer(_asked()).option(OptionNumber.ETAG)
    domain.blocks.clear()
    domain.wrong = wrong.with_options((OptionNumber.ETAG, etag))
    with pytest.raises(DecodeError):
        fetched(slots, domain)


def test_a_refusal_is_no_word_on_the_release(slots):
    domain = Wrong(image=IMAGE)
    domain.wrong = Message(Code.FORBIDDEN)
    with pytest.raises(TransportError, match=r"4\.03"):
        fetched(slots, domain)


def test_a_disk_that_takes_nothing_ends_it(slots, monkeypatch):
    def full(*_):
        raise StorageError("the disk is full")

    monkeypatch.setattr(slots, "write", full)
    with pytest.raises(StorageError):
        fetched(slots, Domain(image=IMAGE))


def test_a_lost_block_is_lost():
    with pytest.raises(TransportError, match=r"nobody answered"):
        fetched(MemorySlots(b"old"), Domain(image=IMAGE, fail={path.UPDATE_IMAGE: LOST}))


def _asked():
    return Message(Code.GET).with_options(
        (OptionNumber.URI_PATH, b"update"),
        (OptionNumber.URI_PATH, b"image"),
        (OptionNumber.BLOCK2, Block(0, False, 6).encode()),
    )
