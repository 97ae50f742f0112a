"""No leaf of a key of hashes signs twice: not after a crash, not after a backup, not on another machine."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate, verify
from thingstead.errors import ConfigError, StateError, StorageError, UnsupportedError
from thingstead.secret import Secret
from thingstead.storage.hss_key import HssKey

HSS = AlgorithmId.HSS_LMS
MACHINE = b"4ef1\n"
LEAF = slice(4, 8)
SOURCE = Path(__file__).resolve().parents[3] / "src"


@pytest.fixture
def places(tmp_path):
    second = tmp_path / "second"
    second.mkdir()
    return tmp_path / "key", second


def created(directory, second_place):
    seed = Secret(bytes(range(32)))
    return HssKey.create(directory, second_place, machine=MACHINE, seed=seed, identifier=bytes(16), height=5)


@pytest.fixture
def key(places):
    return created(*places)


def reopened(places, machine=MACHINE):
    return HssKey(*places, machine=machine)


def leaf_of(signature):
    return int.from_bytes(signature[LEAF], "big")


def refused(key, reason):
    with pytest.raises(StateError) as caught:
        key.sign(b"release", HSS)
    assert caught.value.reason == reason


@pytest.mark.spec("RFC 8554 9.2")
def test_each_signature_takes_the_next_leaf_also_after_a_restart(places, key):
    signatures = [key.sign(b"1", HSS), reopened(places).sign(b"2", HSS), key.sign(b"3", HSS)]
    assert [leaf_of(signature) for signature in signatures] == [0, 1, 2]
    for data, signature in zip((b"1", b"2", b"3"), signatures, strict=True):
        verify(key.public, signature=signature, data=data, signature_id=HSS)
    assert (key.left, reopened(places).public) == (29, key.public)


@pytest.mark.spec("RFC 8554 9.2")
def test_a_key_that_was_put_back_signs_nothing_any_more(places, key, tmp_path):
    shutil.copytree(places[0], tmp_path / "backup")
    key.sign(b"release", HSS)
    shutil.rmtree(places[0])
    shutil.copytree(tmp_path / "backup", places[0])
    refused(reopened(places), "rolled back")
    refused(key, "rolled back")


@pytest.mark.spec("RFC 8554 9.2")
def test_a_copy_on_another_machine_signs_nothing(places, key):
    refused(reopened(places, b"another\n"), "another machine")
    key.sign(b"release", HSS)


def test_without_its_second_place_a_key_signs_nothing(places, key, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with pytest.raises(StorageError) as caught:
        HssKey(places[0], elsewhere, machine=MACHINE).sign(b"release", HSS)
    assert caught.value.reason == "second place"
    for content in (b"", b"\x80", b"\x82\x02\x00", b"\x82\x01\x20"):
        next(places[1].iterdir()).write_bytes(content)
        with pytest.raises(StorageError):
            key.sign(b"release", HSS)


def test_a_second_place_that_fell_behind_is_brought_up(places, key, tmp_path):
    shutil.copytree(places[1], tmp_path / "older")
    assert leaf_of(key.sign(b"1", HSS)) == 0
    shutil.rmtree(places[1])
    shutil.copytree(tmp_path / "older", places[1])
    assert leaf_of(key.sign(b"2", HSS)) == 1
    shutil.rmtree(places[0])
    with pytest.raises(ConfigError, match="no key of hashes"):
        reopened(places)


@pytest.mark.spec("RFC 8554 5.2")
def test_a_key_ends_with_its_last_leaf(key):
    assert [leaf_of(key.sign(b"", HSS)) for _ in range(32)] == list(range(32))
    assert key.left == 0
    refused(key, "used up")


def test_a_full_disk_signs_nothing(places, key):
    places[1].chmod(0o500)
    (places[1] / f"{next(places[1].iterdir()).name}.new").mkdir()
    with pytest.raises(StorageError):
        key.sign(b"1", HSS)
    (places[1] / f"{next(one for one in places[1].iterdir() if one.is_file()).name}.new").rmdir()
    assert leaf_of(key.sign(b"2", HSS)) == 1


@pytest.mark.parametrize("number", [AlgorithmId.ESP256, AlgorithmId.ML_DSA_44, 0])
def test_nothing_but_hss_lms_comes_from_it(key, number):
    with pytest.raises(UnsupportedError):
        key.sign(b"release", number)
    with pytest.raises(UnsupportedError):
        key.agree(generate(KeyType.P256).public)
    assert key.left == 32


def test_no_key_is_made_over_another_or_beside_its_own_count(places, key, tmp_path):
    with pytest.raises(ConfigError, match="a key is in"):
        created(*places)
    for second in (tmp_path / "new", tmp_path / "absent"):
        with pytest.raises(ConfigError, match="expected a second place"):
            created(tmp_path / "new", second)


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x00" * 200, b"\x87" + b"\x01" * 7, b"\xff" * 4096])
def test_a_damaged_key_is_told_from_one_that_is_not_there(places, key, content):
    (places[0] / "hss-lms").write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        reopened(places)


def test_others_may_not_enter(places, key):
    places[0].chmod(0o755)
    with pytest.raises(ConfigError):
        reopened(places)


def test_nothing_shows_the_seed(key):
    assert bytes(range(32)).hex() not in repr(key)


@pytest.mark.slow
@pytest.mark.spec("RFC 8554 9.2")
def test_no_kill_makes_a_leaf_sign_twice(places, key):
    signer = textwrap.dedent("""
        import sys
        from pathlib import Path
        from thingstead.storage.hss_key import HssKey
        key = HssKey(Path(sys.argv[1]), Path(sys.argv[2]), machine=b"4ef1\\n")
        while key.left:
            print(key.sign(b"release", -46)[4:8].hex(), flush=True)
    """)
    seen: list[str] = []
    while len(seen) < 9:
        command = [sys.executable, "-c", signer, *map(str, places)]
        environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
            assert running.stdout is not None
            for _ in range(3):
                line = running.stdout.readline()
                seen += [line] if line.endswith("\n") else []
            running.send_signal(signal.SIGKILL)
            seen += [line for line in running.stdout if line.endswith("\n")]
    assert len(seen) == len(set(seen)) >= 9
