"""What crosses to an engine and back is what was sent, by its type, or an error that says so."""

import socket
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.domain.plane import Demand, PlaneName, Probe, Receipt, Standing
from thingstead.domain.thing import Thing
from thingstead.errors import DecodeError, ForbiddenError, PolicyError, StorageError, TransportError
from thingstead.protocols.cbor import codec
from thingstead.transport import frame
from thingstead.transport.engine_socket import Ask, EngineSocket, Outcome, plain, refusal, typed

THING = a_thing()
RECEIPT = Receipt(PlaneName.DATA, THING.id, Demand.ADMIT, THING.transition_id, AT, "done")
PROBE = Probe(PlaneName.DATA, THING.id, Standing.REFUSED, "somebody", AT, last_acceptance=AT)


@pytest.mark.parametrize(
    ("value", "kind"), [(THING, Thing), (RECEIPT, Receipt), (PROBE, Probe), ((b"a", b"b"), tuple[bytes, ...])]
)
def test_a_message_comes_back_as_it_was(value, kind):
    assert typed(codec.decode(codec.encode(plain(value))), kind) == value


@pytest.mark.parametrize("value", [None, 1, {}, {**plain(THING), "version": "1"}, {**plain(THING), "state": "away"}])
def test_another_value_is_no_message(value):
    with pytest.raises(DecodeError):
        typed(value, Thing)


@dataclass
class Answering:
    path: Path
    answer: bytes

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()
        self.engine = EngineSocket(self.path, patience=2)
        return self.engine

    def _serve(self):
        for _ in range(2):
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with sock:
                frame.receive(sock)
                sock.sendall(len(self.answer).to_bytes(4, "big") + self.answer)

    def __exit__(self, *_):
        self.engine.close()
        self.listener.close()


@pytest.mark.parametrize(
    "answer",
    [
        [0],
        [0, 1, "2", []],
        [0, 1, 2, ["x"]],
        [0, 1, 2, [[1, 2]]],
        [1, 2],
        [1, "PolicyError", "why"],
        [1, "PolicyError", "why", "", "", 0, [0]],
        [3],
        [2, 2],
    ],
)
def test_an_answer_that_is_none_is_no_answer(tmp_path, answer):
    with Answering(tmp_path / "a", codec.encode(answer)) as engine, pytest.raises(TransportError, match="as it should"):
        engine.ask_now([int(Ask.ENTRIES), 0])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PolicyError("why", reason="a-reason"), PolicyError),
        (StorageError("why", reason="a-reason"), StorageError),
        (type("Invented", (PolicyError,), {"__doc__": "Of nobody."})("why", reason="a-reason"), ForbiddenError),
    ],
)
def test_an_error_is_the_same_here_and_one_that_nobody_knows_a_refusal(tmp_path, error, kind):
    with Answering(tmp_path / "a", codec.encode(refusal(error, 7))) as engine:
        answer = engine.ask_now([int(Ask.ENTRIES), 0])
    assert type(answer.error) is kind
    assert (answer.outcome, answer.error.message, answer.error.reason) == (Outcome.REFUSED, "why", "a-reason")
    assert answer.entries == 7


def test_where_nobody_is_nobody_answers(tmp_path):
    with closing(EngineSocket(tmp_path / "none")) as engine, pytest.raises(TransportError, match="nobody answers"):
        engine.ask_now([int(Ask.ENTRIES), 0])
