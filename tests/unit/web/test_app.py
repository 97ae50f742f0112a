"""The page and what it loads."""

import re
from importlib import resources

import pytest
from litestar.testing import TestClient

from tests.unit.web.fakes import THINGS, FakeController, StillClock
from thingstead.web.app import make_app
from thingstead.web.feed import Feed

PAGE = resources.files("thingstead.web") / "page"


def client(**bounds):
    feed = Feed(FakeController().ask, StillClock(), **bounds)
    return TestClient(make_app(feed), base_url="http://127.0.0.1:8000")


@pytest.mark.parametrize(
    ("path", "media"), [("/", "text/html"), ("/style.css", "text/css"), ("/page.js", "text/javascript")]
)
def test_each_file_has_its_type(path, media):
    with client() as browser:
        response = browser.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(media)


def test_the_snapshot_is_json():
    with client() as browser:
        response = browser.get("/snapshot")
    assert response.headers["content-type"].startswith("application/json")
    assert response.json()["things"] == THINGS


def test_more_than_may_look_are_told_to_come_back():
    with client(max_streams=0) as browser:
        response = browser.get("/events")
    assert response.status_code == 503
    assert response.headers["retry-after"]


@pytest.mark.parametrize("path", ["/absent", "/schema", "/../secret", "/page/index.html", "/.well-known/core"])
def test_nothing_else_is_there(path):
    with client() as browser:
        assert browser.get(path).status_code == 404


@pytest.mark.requirement("R-79")
@pytest.mark.parametrize("name", ["index.html", "style.css", "page.js"])
def test_nothing_is_loaded_from_elsewhere(name):
    text = (PAGE / name).read_text()
    assert re.findall(r"(?:https?:)?//[a-z0-9]", text) == []
    assert "@import" not in text
    assert "url(" not in text


def test_nothing_is_ever_shown_as_markup():
    script = (PAGE / "page.js").read_text()
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("):
        assert way not in script


def test_the_page_keeps_to_its_own_policy():
    html = (PAGE / "index.html").read_text()
    assert not re.search(r"\son[a-z]+=|\sstyle=|<style|<script>", html)
