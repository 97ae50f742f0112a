import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from thingstead.errors import ConfigError
from thingstead.simulator import demo_record
from thingstead.simulator.demo_record import DemoRecord, RecordedThing


@pytest.fixture
def environment(tmp_path):
    return {"XDG_RUNTIME_DIR": str(tmp_path / "run")}


@pytest.fixture
def demo(tmp_path):
    directory = tmp_path / "demo"
    directory.mkdir()
    return directory


def record(demo):
    thing = RecordedThing("A-1", demo / "lamp", "aurora", "A-Lamp")
    return DemoRecord(os.getpid(), demo / "domain", ("127.0.0.1", 5683), (thing,), (demo / "aurora",), site=True)


def test_the_newest_demo_is_found_and_read_back(demo, environment):
    path = demo_record.write(record(demo), demo, environment=environment)
    assert path.stat().st_mode & 0o777 == 0o600
    assert demo_record.latest(environment) == demo
    assert demo_record.read(demo) == record(demo)


def test_a_demo_that_ended_is_no_target(demo, environment):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    demo_record.write(replace(record(demo), pid=ended.pid), demo, environment=environment)
    with pytest.raises(ConfigError, match="has ended"):
        demo_record.read(demo)


def test_where_no_demo_runs_one_sentence_says_so(demo, environment):
    with pytest.raises(ConfigError, match="thingstead demo"):
        demo_record.latest(environment)
    with pytest.raises(ConfigError, match="thingstead demo"):
        demo_record.read(demo)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"pid": "one"}', b'{"pid": 1}', b"\xff"])
def test_a_damaged_record_is_refused(demo, content):
    (demo / demo_record.FILE).write_bytes(content)
    with pytest.raises(ConfigError, match="no record of a demo"):
        demo_record.read(demo)


def test_a_pointer_that_others_could_have_written_is_refused(demo, environment):
    folder = Path(environment["XDG_RUNTIME_DIR"]) / "thingstead-demo"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with pytest.raises(ConfigError, match="closed to others"):
        demo_record.latest(environment)


def test_a_demo_forgets_its_own_pointer_only(demo, environment, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    demo_record.write(record(demo), demo, environment=environment)
    demo_record.forget(other, environment=environment)
    assert demo_record.latest(environment) == demo
    demo_record.forget(demo, environment=environment)
    with pytest.raises(ConfigError):
        demo_record.latest(environment)
