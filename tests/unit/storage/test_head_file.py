import asyncio

import pytest

from thingstead.errors import StorageError
from thingstead.storage.head_file import HeadFile


def test_the_newest_head_is_kept(tmp_path):
    keeper = HeadFile(tmp_path / "head")
    assert keeper.load() is None
    for head in (b"one", b"two"):
        asyncio.run(keeper.keep(head))
        assert HeadFile(tmp_path / "head").load() == head


def test_a_head_that_cannot_be_read_is_not_taken_for_none(tmp_path):
    (tmp_path / "head").mkdir()
    with pytest.raises(StorageError, match="head"):
        HeadFile(tmp_path / "head").load()


def test_a_head_that_cannot_be_kept_is_reported(tmp_path):
    with pytest.raises(StorageError):
        asyncio.run(HeadFile(tmp_path / "missing" / "head").keep(b"one"))
