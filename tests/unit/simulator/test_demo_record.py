import os
import subprocess
import sys
from dataclasses import replace

import pytest

from thingstead.errors import ConfigError
from thingstead.simulator import demo_record
from thingstead.simulator.demo_record import DemoRecord, RecordedThing


@pytest.fixture
def runtime(tmp_path):
    folder = demo_record.runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path / "run")})
    folder.mkdir(parents=True, mode=0o700)
    return folder


@pytest.fixture
def demo(tmp_path):
    directory = tmp_path / "demo"
    directory.mkdir()
    return directory


def record(demo):
    thing = RecordedThing("A-1", demo / "lamp", "aurora", "A-Lamp")
    return DemoRecord(os.getpid(), demo / "domain", ("127.0.0.1", 5683), (thing,), (demo / "aurora",), site=True)


def test_the_newest_demo_is_found_and_read_back(demo, runtime):
    path = demo_record.write(record(demo), demo, runtime=runtime)
    assert path.stat().st_mode & 0o777 == 0o600
    assert demo_record.latest(runtime) == demo
    assert demo_record.read(demo) == record(demo)


def test_a_demo_that_ended_is_no_target(demo, runtime):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    demo_record.write(replace(record(demo), pid=ended.pid), demo, runtime=runtime)
    with pytest.raises(ConfigError, match="has ended"):
        demo_record.read(demo)


def test_where_no_demo_runs_one_sentence_says_so(demo, runtime):
    with pytest.raises(ConfigError, match="thingstead demo"):
        demo_record.latest(runtime)
    with pytest.raises(ConfigError, match="thingstead demo"):
        demo_record.read(demo)


def test_whoever_only_asks_makes_no_directory(tmp_path):
    assert not demo_record.runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path)}).exists()


@pytest.mark.parametrize("content", [b"", b"[]", b'{"pid": "one"}', b'{"pid": 1}', b"\xff"])
def test_a_damaged_record_is_refused(demo, content):
    (demo / demo_record.FILE).write_bytes(content)
    with pytest.raises(ConfigError, match="no record of a demo"):
        demo_record.read(demo)


def test_a_pointer_that_others_could_have_written_is_refused(tmp_path, runtime):
    runtime.chmod(0o777)
    with pytest.raises(ConfigError, match="closed to others"):
        demo_record.runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path / "run")})


def test_a_pointer_behind_a_link_is_refused(tmp_path, runtime):
    runtime.rename(tmp_path / "moved")
    runtime.symlink_to(tmp_path / "moved")
    with pytest.raises(ConfigError, match="a directory of yours"):
        demo_record.runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path / "run")})


def test_a_demo_forgets_its_own_pointer_only(demo, runtime, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    demo_record.write(record(demo), demo, runtime=runtime)
    demo_record.forget(other, runtime=runtime)
    assert demo_record.latest(runtime) == demo
    demo_record.forget(demo, runtime=runtime)
    assert not runtime.exists()
    with pytest.raises(ConfigError):
        demo_record.latest(runtime)


def test_a_demo_that_starts_while_another_ends_is_found(demo, runtime):
    demo_record.write(record(demo), demo, runtime=runtime)
    demo_record.forget(demo, runtime=runtime)
    demo_record.write(record(demo), demo, runtime=runtime)
    assert demo_record.latest(runtime) == demo
