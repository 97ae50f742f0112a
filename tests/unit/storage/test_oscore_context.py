"""No number is given out twice, whatever is killed, copied back or handed out; and no secret is shown."""

import json
import os

import pytest

from thingstead.errors import ConfigError, DecodeError, StateError, StorageError, UnsupportedError
from thingstead.secret import Secret
from thingstead.storage import oscore_context
from thingstead.storage.oscore_context import ContextFile, Half, OscoreParameters, Sequences

SECRET = bytes(range(1, 17))
PARAMETERS = OscoreParameters(Secret(SECRET), b"\x01", b"\x02", id_context=b"\x37")
NEW = Sequences(0, 0, is_new=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lamp.oscore"


@pytest.fixture
def made(path):
    ContextFile.create(path, PARAMETERS, NEW).close()
    return path


def opened(path):
    """As a process does that is killed later: nothing is closed, but the kernel drops its lock."""
    file = ContextFile.open(path)
    os.close(file._lock)
    return file


def test_what_was_written_is_read(made):
    file = ContextFile.open(made)
    assert (file.parameters, file.sequences) == (PARAMETERS, NEW)
    assert made.stat().st_mode & 0o777 == 0o600


@pytest.mark.spec("RFC 8613 B.1.1")
def test_numbers_are_spent_on_disk_before_they_are_used(made):
    file = opened(made)
    context = file.context()
    with pytest.raises(StateError):
        context.sender.sequence.take()
    file.reserve(100)
    context.sender.sequence.reserve(100)
    assert context.sender.sequence.take() == 0
    assert opened(made).context().sender.sequence.next == 100


@pytest.mark.spec("RFC 8613 B.1.1")
def test_what_was_reserved_and_not_used_is_given_back_on_closing(made):
    file = ContextFile.open(made)
    context = file.context()
    file.reserve(100)
    context.sender.sequence.reserve(100)
    context.sender.sequence.take()
    file.close()
    with pytest.raises(StateError):
        context.sender.sequence.take()
    assert ContextFile.open(made).context().sender.sequence.next == 1


def test_a_reservation_never_goes_back(made):
    file = ContextFile.open(made)
    file.reserve(100)
    file.reserve(50)
    assert file.sequences.sender == 100


def test_a_disk_that_takes_no_note_gives_out_no_number(made, monkeypatch):
    def full(_path, _data):
        raise StorageError("cannot write: no space left")

    file = ContextFile.open(made)
    monkeypatch.setattr(oscore_context, "write_whole", full)
    with pytest.raises(StorageError):
        file.context()
    with pytest.raises(StorageError):
        file.reserve(100)
    assert file.sequences == NEW


@pytest.mark.spec("RFC 8613 B.1.2")
def test_the_replay_window_is_true_once_and_counts_as_lost_from_then_on(made):
    assert opened(made).context().recipient.window.is_valid
    assert not opened(made).context().recipient.window.is_valid


def test_two_processes_never_have_one_context(made):
    file = ContextFile.open(made)
    with pytest.raises(ConfigError, match="another process uses"):
        ContextFile.open(made)
    file.close()
    ContextFile.open(made).close()


@pytest.mark.spec("RFC 8613 7.2.1")
def test_a_half_that_was_handed_out_is_used_here_no_more(made):
    file = ContextFile.open(made)
    file.reserve(7)
    assert file.hand_out(Half.SENDER) == 7
    for use in (file.context, lambda: file.reserve(8), lambda: file.hand_out(Half.SENDER)):
        with pytest.raises(StateError, match="another party holds it"):
            use()
    file.close()
    assert ContextFile.open(made).sequences == Sequences(None, 0)


@pytest.mark.spec("RFC 8613 7.2.1")
def test_the_other_half_is_handed_out_once(made):
    file = ContextFile.open(made)
    assert file.hand_out(Half.RECIPIENT) == 0
    with pytest.raises(StateError, match="Sender ID 02"):
        file.hand_out(Half.RECIPIENT)
    assert file.hand_out(Half.RECIPIENT, start=9) == 9


def test_a_start_that_is_told_never_goes_back_behind_what_is_known(made):
    file = ContextFile.open(made)
    file.reserve(7)
    assert file.hand_out(Half.SENDER, start=3) == 7
    with pytest.raises(StateError):
        file.hand_out(Half.SENDER, start=100)


@pytest.mark.spec("RFC 8613 7.2.1")
def test_a_context_at_its_end_is_refused(path):
    ContextFile.create(path, PARAMETERS, Sequences(1 << 40)).close()
    with pytest.raises(StateError, match="used up"):
        ContextFile.open(path).context()


def test_a_context_is_never_written_over(made):
    with pytest.raises(ConfigError, match="there already"):
        ContextFile.create(made, PARAMETERS, NEW)
    assert ContextFile.open(made).sequences == NEW


def test_a_file_that_others_may_read_is_refused(made):
    made.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        ContextFile.open(made)


def test_a_file_that_is_not_there_is_said(path):
    with pytest.raises(ConfigError, match="expected an OSCORE context at"):
        ContextFile.open(path)
    with pytest.raises(ConfigError, match="cannot make"):
        ContextFile.create(path / "x", PARAMETERS, NEW)


def change(key, value):
    return lambda told: told | {key: value}


@pytest.mark.parametrize(
    "broken",
    [
        lambda told: [told],
        lambda told: {key: value for key, value in told.items() if key != "sender_sequence"},
        change("format", "thingstead-oscore-context-2"),
        change("master_secret", "zz"),
        change("master_secret", ""),
        change("master_secret", 7),
        change("sender_id", "02"),
        change("sender_id", "00" * 8),
        change("sender_sequence", -1),
        change("sender_sequence", True),
        change("sender_sequence", "7"),
        change("sender_sequence", 1 << 41),
        change("window", 0),
        change("window", 1 << 20),
        change("extra", 1),
    ],
)
def test_a_damaged_file_is_refused_and_its_secret_not_told(made, broken):
    made.write_text(json.dumps(broken(json.loads(made.read_bytes()))))
    with pytest.raises(DecodeError) as refused:
        ContextFile.open(made)
    assert SECRET.hex() not in repr(refused.value)
    made.write_bytes(b"{" * (1 << 15))
    with pytest.raises(DecodeError):
        ContextFile.open(made)


def test_an_algorithm_that_we_do_not_have_is_unsupported(made):
    made.write_text(json.dumps(json.loads(made.read_bytes()) | {"aead": 99}))
    with pytest.raises(UnsupportedError):
        ContextFile.open(made)


def test_a_context_shows_no_secret():
    assert SECRET.hex() not in repr(PARAMETERS)
    assert PARAMETERS.mirrored().mirrored() == PARAMETERS
