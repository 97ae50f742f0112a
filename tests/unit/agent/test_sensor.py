"""What is reported is a number under a name that SenML knows, whatever the file or the machine says."""

import lzma
from datetime import UTC, datetime

import pytest

from thingstead.agent import sensor
from thingstead.agent.sensor import FileSensor, HostSensor
from thingstead.errors import ConfigError
from thingstead.protocols.senml import pack

AT = datetime(2026, 11, 23, tzinfo=UTC)


def rows(path, count):
    told = FileSensor(path)
    return [{one.name: one.value for one in told.read(AT)} for _ in range(count)]


def written(tmp_path, text, name="data.csv"):
    path = tmp_path / name
    path.write_bytes(lzma.compress(text.encode()) if name.endswith(".xz") else text.encode())
    return path


@pytest.mark.parametrize("text", ["", "a,b\n", "a,b\nx,y\n", "a\nnan\ninf\n-inf\n1e999\n", "1,2\n", ",\n1,2\n"])
def test_a_file_without_a_number_is_refused(tmp_path, text):
    with pytest.raises(ConfigError, match="expected numbers under column names"):
        FileSensor(written(tmp_path, text))


@pytest.mark.parametrize("name", ["plain.csv", "folder", "damaged.csv.xz", "cut.csv.xz", "latin.csv"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    path = tmp_path / name
    contents = {
        "damaged.csv.xz": b"not xz",
        "cut.csv.xz": lzma.compress(b"a\n1\n" * 999)[:14],
        "latin.csv": b"temp\xe9\n1\n",
    }
    if name == "folder":
        path.mkdir()
    elif name in contents:
        path.write_bytes(contents[name])
    with pytest.raises(ConfigError, match=name):
        FileSensor(path)


def test_a_file_that_goes_away_is_named_when_it_is_wanted_again(tmp_path):
    path = written(tmp_path, "a\n1\n")
    told = FileSensor(path)
    path.unlink()
    with pytest.raises(ConfigError, match=r"data\.csv"):
        told.read(AT)


@pytest.mark.spec("RFC 8428 4.5.1")
@pytest.mark.parametrize("column", ["Temp °C", "_x", "-x", ".x", " x", "a b", "é"])
def test_a_column_of_any_name_is_reported_under_one_that_can_be_said(tmp_path, column):
    (record,) = FileSensor(written(tmp_path, f"{column}\n1.5\n")).read(AT)
    assert pack.parse_cbor(pack.render_cbor([record]), at=AT)[0].value == 1.5


def test_more_columns_than_are_told_and_cells_that_are_no_numbers_are_left_out(tmp_path):
    path = written(tmp_path, ",".join(f"c{i}" for i in range(99)) + "\nx," + ",".join("1" for _ in range(120)) + "\n")
    (told,) = rows(path, 1)
    assert (len(told), "c0" in told, "c1" in told) == (32, False, True)


@pytest.mark.parametrize("name", ["data.csv", "data.csv.xz"])
def test_rows_are_told_in_order_and_around_again(tmp_path, name):
    path = written(tmp_path, "a,b\n1,x\n2,5\n\nx,x\n", name)
    assert rows(path, 5) == [{"a": 1.0}, {"a": 2.0, "b": 5.0}] * 2 + [{"a": 1.0}]


def machine(monkeypatch, folder, **files):
    """Let the kernel's files be those of `folder`."""
    for name, text in files.items():
        (folder / name).write_text(text)
    monkeypatch.setattr(sensor, "_MEMORY", folder / "meminfo")
    monkeypatch.setattr(sensor, "_THERMAL", folder)
    monkeypatch.setattr(sensor, "_NETWORK", folder / "dev")


def test_what_the_machine_has_no_sensor_for_is_left_out(monkeypatch, tmp_path):
    machine(monkeypatch, tmp_path)
    assert [one.name for one in HostSensor().read(AT)] == ["load"]


@pytest.mark.parametrize(
    "files",
    [
        {"meminfo": "MemAvailable:\n"},
        {"meminfo": "MemAvailable: much kB\n"},
        {"dev": "lo:\neth0: x\n"},
        {"meminfo": "MemTotal: 5 kB\n", "dev": "Inter-|\n"},
    ],
)
def test_what_the_kernel_says_otherwise_is_left_out(monkeypatch, tmp_path, files):
    machine(monkeypatch, tmp_path, **files)
    assert [one.name for one in HostSensor().read(AT)] == ["load"]


@pytest.mark.parametrize(("text", "names"), [("", ["load"]), ("hot\n", ["load"]), ("41500\n", ["load", "temperature"])])
def test_a_temperature_is_told_where_there_is_one(monkeypatch, tmp_path, text, names):
    zone = tmp_path / "thermal_zone0"
    zone.mkdir()
    (zone / "temp").write_text(text)
    machine(monkeypatch, tmp_path)
    told = HostSensor().read(AT)
    assert [one.name for one in told] == names
    assert len(told) == 1 or told[1].value == 41.5


def test_memory_and_received_bytes_are_told_in_bytes(monkeypatch, tmp_path):
    machine(monkeypatch, tmp_path, meminfo="MemTotal: 9 kB\nMemAvailable: 2 kB\n", dev="Inter-|\n lo: 5 0\n eth0:7 0\n")
    told = {one.name: (one.value, one.unit) for one in HostSensor().read(AT)}
    assert (told["memory"], told["received"]) == ((2048.0, "B"), (12.0, "B"))
