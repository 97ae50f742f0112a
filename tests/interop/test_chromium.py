"""The live page in an unmodified browser: what is drawn, what is read out, what is refused, and that it stays put."""

import asyncio
import threading
from typing import Any

import pytest

from tests.interop import chromium
from tests.unit.web.fakes import STATUS
from thingstead.clock import SystemClock
from thingstead.web.server import open_listener, page

pytestmark = [pytest.mark.interop, pytest.mark.full, pytest.mark.slow]

PLANES = ("identity", "access", "groups", "software", "network", "data")
HOSTILE = "<img src=x onerror=document.title='owned'>"
SHIFTS = "new Promise(done => { let sum = 0; new PerformanceObserver(list => list.getEntries().forEach(one => sum += "
SHIFTS += "one.value)).observe({type: 'layout-shift'}); setTimeout(() => done(sum), 2500) })"


def thing(number, **changes):
    row = {"thing": f"thing-{number}", "maker": "aurora", "model": "LX", "serial": f"LX-{number}", "zone": "hall"}
    row |= {"state": "operational", "restriction": "none", "version": "1.1.0", "last_heard": "2026-11-01T00:00:00Z"}
    return {**row, **changes}


def campaign(number, **changes):
    row = {"campaign": f"LX/{number}", "maker": "aurora", "model": "LX", "version": f"1.{number}.0", "stage": "1 of 2"}
    row |= {"status": "running", "because": "it was published"}
    return {**row, "things": 4, "installed": 1, "offered": 1, "silent": 0, "failed": 0, "waiting": 2, **changes}


class Domain:
    """Answers the page; every answer differs from the one before."""

    def __init__(self):
        self.asked = 0

    async def ask(self, operation, arguments):
        self.asked += 1
        return self._answers(arguments)[operation]

    def _answers(self, arguments):
        kill = {"network": 412_000, "access": 0, "identity": None}
        entries = {
            "kill-clock": {"kind": "kill-clock", "cause": "microseconds", "actor": "conductor", "details": kill},
            "": {"kind": "restriction", "cause": "operator", "actor": "owner", "details": {"to": "quarantined"}},
        }
        entry = {"index": 7, "at": "2026-11-01T00:00:00Z", "thing": "thing-2", **entries[arguments.get("kind", "")]}
        modes = [{"plane": name, "mode": "live", "owed": 0} for name in PLANES]
        modes[4] |= {"mode": "DRY_RUN: NOT ENFORCED", "owed": 1}
        refused = {"unknown maker": 3, HOSTILE: 1}
        return {
            "status": {**STATUS, "planes": modes, "refused": refused, "uptime_seconds": 60 + self.asked},
            "thing.list": [thing(1, serial=HOSTILE), thing(2, restriction="quarantined"), thing(3, last_heard=None)],
            "data.list": [{"thing": "thing-1", "latest": {"load": 1 / self.asked, HOSTILE: 1e9 + self.asked}}],
            "campaign.list": [campaign(3), campaign(2, status="aborted", because=HOSTILE, failed=2)],
            "ledger.show": [entry],
        }


@pytest.fixture(scope="module")
def url():
    started = threading.Event()
    told: list[Any] = []

    async def serve():
        stop = asyncio.Event()
        async with page(Domain().ask, open_listener(), clock=SystemClock()) as address:
            told.extend([address, asyncio.get_running_loop(), stop])
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(10)
    yield told[0]
    told[1].call_soon_threadsafe(told[2].set)
    thread.join(10)


@pytest.fixture(scope="module")
def browser(program, tmp_path_factory):
    with chromium.opened(program("chromium", package="chromium"), tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def shown(browser, url):
    def show(width=1200, *, dark=False):
        browser.show(width=width, dark=dark)
        browser.go(url, ready="document.querySelectorAll('#things tr').length == 3")
        return browser

    return show


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1200])
def test_the_page_fits_and_nothing_in_it_breaks_its_own_policy(shown, width, dark):
    browser = shown(width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.complaints == []


def test_what_things_call_themselves_is_text(shown):
    browser = shown()
    assert HOSTILE in browser.evaluate("document.querySelector('#things').textContent")
    assert browser.evaluate("document.querySelectorAll('img').length") == 0
    assert browser.evaluate("document.title") == "home · Thingstead"


def test_the_policy_refuses_what_a_page_should_not_do(shown):
    browser = shown()
    refused = "fetch('https://example.com/').then(() => 'sent', () => 'refused')"
    assert browser.evaluate(refused) == "refused"
    browser.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    assert browser.evaluate("window.ran") is None
    assert len(browser.complaints) >= 2
    browser.complaints.clear()


@pytest.mark.parametrize("width", [360, 1200])
def test_tables_are_tables_to_who_listens_on_any_width(shown, width):
    heard = shown(width).heard()
    assert ("table", "Things") in heard
    assert ("table", "Kill clocks") in heard
    assert ("table", "Updates going round") in heard
    titles = {name for role, name in heard if role == "columnheader"}
    assert {"Thing", "State", "Zone", "Software", "Last heard", "Last telemetry", "Network"} <= titles
    assert "LX-2 measured at 00:00:00" in {name for role, name in heard if role == "rowheader"}
    assert [name for role, name in heard if role == "heading"][1:3] == ["Six planes", "Things"]


def test_words_say_what_colours_show(shown):
    text = shown().evaluate("document.body.innerText")
    for words in (
        "operational, quarantined",
        "DRY RUN: NOT ENFORCED",
        "1 still to do",
        "LX-2: is now quarantined, by owner",
        "made by nobody whom we trust",
        "1 of 4",
        "aborted",
        "2 failed",
        "412 ms",
        "0 ms",
        "still accepted",
        "not measured",
    ):
        assert words in text


def test_the_keyboard_reaches_what_scrolls(shown):
    browser = shown()
    reached = []
    for _ in range(2):
        browser.press("Tab")
        reached.append(browser.evaluate("document.activeElement.getAttribute('aria-labelledby')"))
    assert reached == ["ledger-title", "refused-title"]


def test_new_figures_move_nothing_and_keep_their_places(shown):
    browser = shown()
    browser.evaluate("window.row = document.querySelector('#things tr'); window.was = row.textContent; 1")
    assert browser.evaluate(SHIFTS) == 0
    browser.until("row.textContent != was")
    assert browser.evaluate("row === document.querySelector('#things tr')")
    assert browser.evaluate("document.querySelector('#link').textContent") == "live"
