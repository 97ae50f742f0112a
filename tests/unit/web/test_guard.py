"""A page on loopback is still within reach of every site its owner visits: what gets through, and what does not."""

import asyncio

import pytest
from litestar.testing import TestClient

from tests.unit.web.fakes import FakeController, StillClock, waited
from thingstead.web.app import make_app
from thingstead.web.feed import Feed
from thingstead.web.guard import HEADERS, guarded


@pytest.fixture
def controller():
    return FakeController()


@pytest.fixture
def client(controller):
    with TestClient(make_app(Feed(controller.ask, StillClock())), base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:8000",
        "127.0.0.1.attacker.example",
        "localhost.attacker.example:8000",
        "attacker.example@127.0.0.1",
        "127.0.0.1:8000.attacker.example",
        "127.0.0.1:",
        "10.0.0.1",
        "0.0.0.0",
        "127.0.0.2",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "127.1",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/snapshot", "/events", "/absent"])
@pytest.mark.spec("RFC 9110 15.5.20")
def test_another_host_is_refused_before_anything_is_asked(client, controller, host, path):
    response = client.get(path, headers={"host": host})
    assert response.status_code == 421
    assert response.content == b""
    assert controller.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "LOCALHOST", "[::1]:8000", "[::1]"])
def test_this_machine_is_served_by_each_of_its_names(client, host):
    assert client.get("/snapshot", headers={"host": host}).status_code == 200


def test_two_hosts_are_refused(client):
    assert client.get("/", headers=[("host", "127.0.0.1"), ("host", "attacker.example")]).status_code == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "FROB"])
@pytest.mark.parametrize("path", ["/", "/snapshot", "/events"])
def test_the_page_only_looks(client, controller, method, path):
    assert client.request(method, path).status_code == 405
    assert controller.asked == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_request_is_refused(client, controller, site):
    assert client.get("/snapshot", headers={"sec-fetch-site": site}).status_code == 403
    assert controller.asked == []


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_the_owners_own_request_is_not(client, site):
    assert client.get("/snapshot", headers={"sec-fetch-site": site}).status_code == 200


@pytest.mark.parametrize(
    ("path", "headers"), [("/", {}), ("/snapshot", {}), ("/absent", {}), ("/", {"host": "attacker.example"})]
)
def test_every_response_closes_the_browser_too(client, path, headers):
    response = client.get(path, headers=headers)
    for name, value in HEADERS:
        assert response.headers[name.decode()] == value.decode()


def test_the_policy_lets_nothing_in_from_elsewhere():
    policy = dict(HEADERS)[b"content-security-policy"].decode()
    assert "default-src 'none'" in policy
    for loose in ("unsafe", "*", "http:", "https:"):
        assert loose not in policy


def test_a_web_socket_is_not_spoken():
    reached = []

    async def app(scope, receive, send):
        reached.append(scope)

    asyncio.run(waited(guarded(app)({"type": "websocket", "headers": [(b"host", b"127.0.0.1")]}, None, None)))
    assert reached == []
