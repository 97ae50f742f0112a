"""An unmodified browser, told what to do over a pipe (the DevTools protocol), and asked what its user would get."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Browser", "opened"]

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_READ_END, _WRITE_END = 3, 4
_PATIENCE = 20.0
_POLL = 0.05


class Browser:
    """One page of it; made by `opened`."""

    def __init__(self, reader: int, writer: int) -> None:
        self._reader = reader
        self._writer = writer
        self._rest = b""
        self._next = 0
        self._session = ""
        self.complaints: list[str] = []
        """What its console said: scripts that failed, and what the page's policy refused."""

    def call(self, method: str, **parameters: Any) -> Mapping[str, Any]:
        """Send one command and return its result; events met on the way are kept if they complain."""
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writer, json.dumps(message).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == self._next:
                if "error" in told:
                    raise AssertionError(f"{method}: {told['error']}")
                result: Mapping[str, Any] = told["result"]
                return result
            self._keep(told)

    def attach(self) -> None:
        """Open the one page."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.call(f"{domain}.enable")

    def show(self, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Give the page a size and a colour scheme."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def go(self, url: str, *, ready: str) -> None:
        """Load `url` and wait until the expression `ready` is true there."""
        self.call("Page.navigate", url=url)
        self.until(ready)

    def until(self, expression: str) -> None:
        """Wait until `expression` is true in the page."""
        end = time.monotonic() + _PATIENCE
        while not self.evaluate(f"Boolean({expression})"):
            if time.monotonic() > end:
                raise AssertionError(f"never true in the page: {expression}; {self.complaints}")
            time.sleep(_POLL)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def press(self, key: str) -> None:
        """Press one key, such as ``Tab``."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=_KEYS[key])

    def heard(self) -> list[tuple[str, str]]:
        """(role, name) of everything that a screen reader meets."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]

    def picture(self, path: Path) -> None:
        """Write the whole page as PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._reader, 1 << 16)
            assert piece, "the browser has ended"
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(line)
        return told

    def _keep(self, told: Mapping[str, Any]) -> None:
        method, given = told.get("method"), told.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(given["exceptionDetails"]))
        elif method == "Log.entryAdded" and given["entry"]["level"] in {"warning", "error"}:
            self.complaints.append(given["entry"]["text"])


@contextmanager
def opened(program: str, profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile; it ends with the block.

    Args:
        program: path of chromium.
        profile: empty directory.
    """
    from_us, to_browser = _pipe()
    from_browser, to_us = _pipe()
    environment = {**os.environ, "HOME": str(profile), "XDG_CONFIG_HOME": str(profile), "XDG_CACHE_HOME": str(profile)}
    # The shell puts the pipe's ends where the browser looks for them.
    redirected = f'exec "$0" "$@" {_READ_END}<&{from_us} {_WRITE_END}>&{to_us}'
    process = subprocess.Popen(
        ["bash", "-c", redirected, program, *_FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(from_us, to_us),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    os.close(from_us)
    os.close(to_us)
    browser = Browser(from_browser, to_browser)
    try:
        browser.attach()
        yield browser
    finally:
        # It ends when nobody holds the pipe any more.
        os.close(to_browser)
        os.close(from_browser)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are none of the numbers that they are moved to."""
    ends = os.pipe()
    reader, writer = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return reader, writer


_KEYS = {"Tab": 9}
