"""Record a join: ``FOLDER DUMPCAP IP``, where FOLDER holds the domain ``home`` and the thing ``lamp``.

It runs in a network namespace of its own. dumpcap writes ``join.pcapng`` of the loopback while controller and thing run
as processes; the thing joins, reports for a while, loses its association, and joins again.
"""

import subprocess
import sys
import time
from pathlib import Path

_PATIENCE = 60.0
_TELEMETRY = 2.0


def until(condition):
    end = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("the thing did not join")
        time.sleep(0.05)


def main(folder, dumpcap, ip):
    subprocess.run([ip, "link", "set", "lo", "up"], check=True)
    capture, association = folder / "join.pcapng", folder / "lamp" / "home" / "association"
    thingstead = [sys.executable, "-m", "thingstead"]
    with (folder / "log").open("wb") as log:

        def spawn(*words):
            return subprocess.Popen([*map(str, words)], cwd=folder, stdout=log, stderr=log)

        running = [spawn(dumpcap, "-q", "-i", "lo", "-f", "udp", "-w", capture)]
        try:
            until(lambda: capture.exists() and capture.stat().st_size > 0)
            running.append(spawn(*thingstead, "up", "home"))
            for name in ("first", "second"):
                thing = spawn(*thingstead, "agent", "run", "lamp", "--telemetry-interval", "0.5")
                running.append(thing)
                until(association.exists)
                time.sleep(_TELEMETRY)
                thing.terminate()
                thing.wait()
                association.rename(folder / name)
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
