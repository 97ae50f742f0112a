import os

import pytest

from thingstead.errors import ConfigError, StorageError
from thingstead.storage.directory import DirectoryLock, private_directory, write_parts, write_whole


def test_a_directory_is_made_closed_and_found_again(tmp_path):
    path = private_directory(tmp_path / "a" / "b")
    assert path.stat().st_mode & 0o777 == 0o700
    assert private_directory(path) == path


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o755, 0o777])
def test_a_directory_that_is_open_to_anyone_else_is_refused(tmp_path, mode):
    tmp_path.chmod(mode)
    with pytest.raises(ConfigError, match=f"{mode:o}"):
        private_directory(tmp_path)


def test_a_lock_is_held_by_one_and_free_after_release(tmp_path):
    lock = DirectoryLock(tmp_path)
    with pytest.raises(ConfigError, match="another controller"):
        DirectoryLock(tmp_path)
    lock.release()
    DirectoryLock(tmp_path).release()


def test_a_file_is_replaced_whole_and_closed_to_others(tmp_path):
    for content in (b"first", b"second, and longer"):
        write_whole(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(StorageError, match="missing/file"):
        write_whole(tmp_path / "missing" / "file", b"")


def test_a_name_that_no_file_can_have_is_named_too(tmp_path):
    with pytest.raises(StorageError, match="cannot write"):
        write_whole(tmp_path / ("x" * 300), b"data")


def test_parts_are_written_one_after_the_other_to_one_file(tmp_path):
    write_parts(tmp_path / "x", iter([b"one ", b"two"]))
    assert (tmp_path / "x").read_bytes() == b"one two"
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


def test_where_a_part_fails_to_come_nothing_of_the_others_stays(tmp_path):
    def parts():
        yield b"half"
        raise KeyError

    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(KeyError):
        write_parts(tmp_path / "x", parts())
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", b"old")]


def test_what_is_no_file_is_not_replaced_by_one(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StorageError, match="only a file"):
        write_whole(pipe, b"x")
    assert pipe.is_fifo()
