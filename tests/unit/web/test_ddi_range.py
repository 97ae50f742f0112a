import pytest

from thingstead.errors import DecodeError
from thingstead.web.ddi_range import wanted


@pytest.mark.spec("RFC 9110 14.1.2")
@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-", (0, 100)),
        ("bytes=10-", (10, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=99-99", (99, 100)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes= 10-19", (10, 20)),
    ],
)
def test_one_range_is_served(header, part):
    assert wanted(header, 100) == part


@pytest.mark.parametrize(
    "header", ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=20-10", "bytes=0-1,3-4", "lines=0-1", "bytes=--1",
               "bytes=" + "9" * 30 + "-", "bytes=٣-٤"]
)  # fmt: skip
def test_what_is_no_single_range_brings_the_whole_file(header):
    assert wanted(header, 100) is None


@pytest.mark.spec("RFC 9110 15.5.17")
@pytest.mark.parametrize(("header", "size"), [("bytes=100-", 100), ("bytes=1000-2000", 100), ("bytes=-0", 100),
                                              ("bytes=0-", 0), ("bytes=-5", 0)])  # fmt: skip
def test_a_range_behind_the_end_is_refused(header, size):
    with pytest.raises(DecodeError) as refusal:
        wanted(header, size)
    assert refusal.value.reason == "range"
