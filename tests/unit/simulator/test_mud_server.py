import pytest

from tests.unit.transport.test_https import FILES, maker
from thingstead.simulator.mud_server import StaticHttpsServer

__all__ = ["maker"]


@pytest.fixture
def server(maker):
    return StaticHttpsServer(FILES, certificate=maker / "server.pem", key=maker / "server.key")


def test_it_has_no_address_before_it_is_entered(server):
    with pytest.raises(ValueError, match="not been started"):
        _ = server.url


@pytest.mark.parametrize("head", [b"", b"GET", b"POST /lamp HTTP/1.1", b"GET /../lamp HTTP/1.1", b"\xff\xff\xff /lamp"])
def test_only_a_get_of_a_known_path_finds_something(server, head):
    assert server._response(head).startswith(b"HTTP/1.1 404")


def test_a_known_path_is_served(server):
    assert server._response(b"GET /lamp HTTP/1.1\r\n").endswith(b"\r\n\r\n{}")
