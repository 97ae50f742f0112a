"""A lamp in a namespace of our own sends while `thingstead watch` listens on its bridge; prints what that tells."""

import os
import signal
import socket
import sys
import time

from thingstead.cli import main as cli
from thingstead.enforcement.namespace import Site, inside


def main():
    site = Site.create()
    lamp = site.attach(1)
    sender = os.fork()
    if not sender:
        with inside(lamp.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
            for _ in range(4000):
                sock.sendto(b"", (str(site.controller_ipv4), 4000))
                time.sleep(0.005)
        os._exit(0)
    code = cli.main(["watch", "--interface", site.interface, "--minutes", "0.01", "--json"])
    os.kill(sender, signal.SIGKILL)
    os.waitpid(sender, 0)
    sys.exit(code)


if __name__ == "__main__":
    main()
