import pytest

from thingstead.agent.file_home import FileHome
from thingstead.errors import StorageError


@pytest.fixture
def home(tmp_path):
    return FileHome(tmp_path / "home")


def test_what_was_never_saved_is_none_and_may_be_deleted(home):
    assert home.load("birth") is None
    home.delete("birth")


def test_a_value_is_its_owner_s_alone(home, tmp_path):
    home.save("birth", b"record")
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home" / "birth").stat().st_mode & 0o777 == 0o600


def test_a_value_is_replaced_and_deleted_whole(home):
    home.save("birth", b"first and longer")
    home.save("birth", b"second")
    assert home.load("birth") == b"second"
    home.delete("birth")
    assert home.load("birth") is None


def test_half_a_save_is_no_value(home, tmp_path):
    home.save("birth", b"record")
    (tmp_path / "home" / ".birth.new").write_bytes(b"rec")
    assert home.names() == ["birth"]
    assert home.load("birth") == b"record"
    home.save("birth", b"next")
    assert home.load("birth") == b"next"


def test_a_file_system_that_refuses_is_told_in_our_words(home, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "home" / "directory").mkdir()
    (tmp_path / "home" / ".full.new").mkdir()
    for refused in (
        lambda: FileHome(tmp_path / "file" / "home"),
        lambda: home.load("directory"),
        lambda: home.delete("directory"),
        lambda: home.save("full", b""),
    ):
        with pytest.raises(StorageError):
            refused()
