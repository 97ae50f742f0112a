import pytest

from thingstead.errors import StorageError
from thingstead.protocols.packet.capture import read_capture
from thingstead.simulator.lab.recording import Recording
from thingstead.simulator.lab.tap import Sighting


def read(path):
    with path.open("rb") as file:
        return list(read_capture(file.read))


def test_frames_are_kept_by_where_they_were_seen(tmp_path):
    recording = Recording(tmp_path)
    for interface in ("t1", "t2", "up0", "br0", "lo"):
        recording.keep(Sighting(interface, False, interface.encode() * 9, 0.0), at=1_000.0)
    recording.close()
    assert [frame.data for frame in read(tmp_path / "segment.pcap")] == [b"t1" * 9, b"t2" * 9]
    assert [frame.data for frame in read(tmp_path / "outside.pcap")] == [b"up0" * 9]


def test_frames_of_one_step_keep_their_order(tmp_path):
    recording = Recording(tmp_path)
    for number in range(3):
        recording.keep(Sighting("t1", False, bytes([number]) * 20, 0.0), at=1_000.0)
    recording.close()
    frames = read(tmp_path / "segment.pcap")
    assert [frame.data[0] for frame in frames] == [0, 1, 2]
    assert frames[-1].at == pytest.approx(1_000.0, abs=1e-6)


def test_without_a_directory_nothing_is_kept():
    recording = Recording(None)
    recording.keep(Sighting("t1", False, b"frame", 0.0), at=1_000.0)
    recording.close()


def test_a_directory_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write captures"):
        Recording(tmp_path / "file")
