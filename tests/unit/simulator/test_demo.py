import asyncio
import io
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from thingstead.errors import TransportError
from thingstead.simulator.demo import Demo, _free_udp_port
from thingstead.simulator.report import Report


class EmptyStage:
    """A stage on which nobody appears."""

    async def start(self, actor):
        raise TransportError(f"{actor.name} ended at its start: the port is taken")


def test_a_demo_whose_domain_does_not_start_ends_there_and_says_why(tmp_path):
    out = io.StringIO()
    options: Any = SimpleNamespace(web_socket=None)
    domain = SimpleNamespace(root=tmp_path, control_socket=tmp_path / "control.sock")
    scenery: Any = SimpleNamespace(domain=domain, things=[])
    stage: Any = EmptyStage()
    demo = Demo(options, scenery, stage, None, None, ("127.0.0.1", 5683), Report(out, quiet=False))
    with pytest.raises(TransportError, match="did not hold"):
        asyncio.run(demo.start())
    assert "the port is taken" in out.getvalue()
    assert len(demo.report.steps) == 1


def test_a_port_that_another_program_has_is_left_to_it():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert _free_udp_port(port) != port
    assert _free_udp_port(port) == port
