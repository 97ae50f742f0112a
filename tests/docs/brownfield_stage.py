"""Run as a program: walks docs/explanation/brownfield.md at a site with router, plug and cloud, with real packets.

Every command of the page has to succeed, in its order; prints what the plug could reach after each of them.
"""

import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

from tests.unit.analysis.traffic.packets import LAMP, SYN, SYN_ACK, capture, look_up, tcp
from tests.unit.enforcement.stage import PATIENCE, bound
from tests.unit.transport.name_world import answered
from thingstead.enforcement.namespace import Site, inside
from thingstead.protocols.dns.message import Question, RecordType, decode, encode_query

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "brownfield.md"
NAME = "cloud.acme.example"
SAYS = {
    "50:c7:bf:00:fc:a3": "02:77:00:00:00:01",
    "50-c7-bf-00-fc-a3": "02-77-00-00-00-01",
    "10.77.1.20": "10.77.1.1",
    "--interface br0": "--interface br0 --minutes 0.01",
}
"""What is on the page, and what is so at this site."""


def steps():
    """(language of a block, its lines); comments are for people."""
    blocks = PAGE.read_text().split("```")[1::2]
    return [
        (block.split("\n")[0], [one.split("  #")[0].strip() for one in block.split("\n")[1:-1]]) for block in blocks
    ]


class Names:
    """A resolver, until it is stopped."""

    def __init__(self, sock):
        self.sock, self.goes = sock, True
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while self.goes:
            try:
                query, source = self.sock.recvfrom(2000)
            except TimeoutError:
                continue
            asked = decode(query).question
            rows = [(NAME, 300, "A", str(Site.internet))] if asked and asked.type == RecordType.A else []
            self.sock.sendto(answered(query, *rows), source)

    def stop(self):
        self.goes = False
        self.thread.join()
        self.sock.close()


class Walk:
    def __init__(self, folder):
        self.folder = folder
        self.site = Site.create()
        self.plug = self.site.attach(1)
        server = partial(bound, socket.SOCK_STREAM, "0.0.0.0")
        self.cloud = [inside(self.site.outside, partial(server, port)) for port in (443, 80)]
        self.names = partial(bound, socket.SOCK_DGRAM)
        self.upstream = Names(inside(self.site.outside, partial(self.names, "198.51.100.2", 53)))
        self.router: Names | None = Names(self.names("10.77.0.1", 53))
        self.running: subprocess.Popen[bytes] | None = None
        self.environment = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT / 'src'}",
            "HOME": str(folder),
        }
        program = folder / "thingstead"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m thingstead "$@"\n')
        program.chmod(0o700)
        heard = [
            *look_up(NAME, Site.internet.packed, at=1.0),
            tcp(LAMP, Site.internet.packed, (40000, 443), SYN, at=2.0),
            tcp(Site.internet.packed, LAMP, (443, 40000), SYN_ACK, at=2.1),
        ]
        for name in ("home.pcap", "tomorrow.pcap"):
            (folder / name).write_bytes(capture(heard))

    def reaches(self, port):
        """Whether the plug is told where its cloud is, and gets there."""

        def attempt():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking, socket.socket() as client:
                asking.settimeout(5 * PATIENCE)
                client.settimeout(5 * PATIENCE)
                try:
                    asking.sendto(encode_query(Question(NAME, RecordType.A), id=7), ("10.77.0.1", 53))
                    (address, _), *_ = decode(asking.recv(2000)).addresses()
                    client.connect((str(address), port))
                except (OSError, ValueError):
                    return False
                return True

        return inside(self.plug.namespace, attempt)

    def do(self, line):
        for said, so in SAYS.items():
            line = line.replace(said, so)
        if "THING" in line:
            line = line.replace(
                "THING", json.loads(self.shell("thingstead thing list --domain home --json"))[0]["thing"]
            )
        if line == "kill %1":
            self.end()
        elif line.endswith("&"):
            self.begin(line.removesuffix("&"))
        else:
            self.shell(line)

    def begin(self, line):
        """The router's resolver gives way; when rules are at stake, it comes back first, and a start has to fail."""
        if self.router is None:
            self.router = Names(self.names("10.77.0.1", 53))
            self.shell(line, expected=43)
            assert self.reaches(443), "a start that failed changed what passes"
        self.router.stop()
        self.router = None
        self.running = subprocess.Popen(
            shlex.split(line), cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for told in self.running.stdout or ():
            if told.startswith(b"next:"):
                break

    def shell(self, line, *, expected=0):
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == expected, f"{line}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def end(self):
        if self.running is not None:
            self.running.terminate()
            self.running.communicate()
            self.running = None


def main():
    seen, began = [], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brown") as folder:
        walk = Walk(Path(folder))
        try:
            for language, lines in steps():
                if language == "toml":
                    with (walk.folder / "home" / "thingstead.toml").open("a") as settings:
                        settings.write("\n".join(lines))
                for line in lines if not language else ():
                    walk.do(line)
                    seen.append((line.split(" --")[0].split(" 5")[0], walk.reaches(443), walk.reaches(80)))
        finally:
            walk.end()
    print(json.dumps({"seen": seen, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
