import os

import pytest

from thingstead.errors import ConfigError
from thingstead.storage.release_folder import ENVELOPE, ReleaseFolder


def made(root):
    return ReleaseFolder.create(root, {ENVELOPE: b"envelope", "image.bin": b"image"})


def test_a_folder_has_its_envelope_and_what_goes_with_it(tmp_path):
    folder = made(tmp_path / "lamp")
    assert (folder.envelope, folder.statement, folder.members()) == (b"envelope", b"", {"image.bin": b"image"})
    folder.add("mud.json", b"{}")
    folder.sign(b"signed", b"statement")
    opened = ReleaseFolder(tmp_path / "lamp")
    assert (opened.envelope, opened.statement) == (b"signed", b"statement")
    assert opened.members() == {"image.bin": b"image", "mud.json": b"{}"}


def test_what_is_signed_takes_nothing_more(tmp_path):
    folder = made(tmp_path / "lamp")
    folder.sign(b"signed", b"statement")
    with pytest.raises(ConfigError, match="is signed as it is") as refused:
        folder.add("mud.json", b"{}")
    assert refused.value.reason == "signed"


def test_a_release_is_made_in_an_empty_folder_only(tmp_path):
    (tmp_path / "note").write_text("mine")
    with pytest.raises(ConfigError, match="expected an empty folder"):
        made(tmp_path)
    with pytest.raises(ConfigError, match="cannot make the folder"):
        made(tmp_path / "note" / "lamp")


def test_where_no_release_is_none_is_opened(tmp_path):
    with pytest.raises(ConfigError, match="no release is in"):
        ReleaseFolder(tmp_path)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda root: (root / "folder").mkdir(), "nothing but files"),
        (lambda root: (root / "link").symlink_to("/etc/hostname"), "nothing but files"),
        (lambda root: os.mkfifo(root / "pipe"), "nothing but files"),
        (lambda root: [(root / f"{n}").touch() for n in range(40)], "at most 32 files"),
        (lambda root: os.truncate(root / "image.bin", (16 << 20) + 1), "at most 16777216 bytes"),
    ],
)
def test_what_is_no_member_of_a_release_is_refused(tmp_path, spoil, says):
    folder = made(tmp_path / "lamp")
    spoil(folder.root)
    with pytest.raises(ConfigError, match=says):
        folder.members()
