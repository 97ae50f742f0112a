import asyncio

import pytest

from thingstead.errors import TransportError
from thingstead.simulator.stage import Actor, Stage


@pytest.mark.slow
def test_an_actor_that_ends_at_once_is_quoted(tmp_path):
    stage = Stage(None, log=tmp_path / "log")
    actor = Actor("one", ["no-such-command"], tmp_path / "one.sock")
    with pytest.raises(TransportError, match=r"one ended at its start: .*no-such-command"):
        asyncio.run(stage.start(actor))
