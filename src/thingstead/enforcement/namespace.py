"""A site in a box: user and network namespaces in which real packets meet real rules, without root.

::

    internet 198.51.100.2 --veth-- [ this process: 198.51.100.1, br0 10.77.0.1 fd77::1 ] --veth-- thing 1, thing 2 ...

Bridge ports are isolated: what one thing sends to another is routed through this process's namespace, where the
same chain decides on it as on everything else. All of it lives on file descriptors and dies with the processes.
Links and namespaces are made here alone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Any, TypeVar

from pyroute2 import IPRoute

from thingstead.errors import ConfigError

__all__ = ["Attachment", "Site", "die_with_parent", "enter_child_namespace", "enter_namespace", "inside", "rehearse"]

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG = 1
_BRIDGE = "br0"
_GATEWAY_MAC = "02:77:00:00:00:00"
"""A bridge without an address of its own takes a port's: it changes with the ports, and neighbours ask the old one."""
_UPLINK, _INTERNET = "up0", "eth0"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One thing's place on the segment.

    Attributes:
        mac: of its interface.
        ipv4: its address.
        ipv6: its address.
        namespace: descriptor of its network namespace for `enter_namespace`; -1 where a process has it already.
    """

    mac: bytes
    ipv4: IPv4Address
    ipv6: IPv6Address
    namespace: int = -1


class Site:
    """The gateway's namespace, which this process is in from `create` on.

    Attributes:
        interface: name of the bridge that things are on.
        networks: prefixes in use there.
        controller_ipv4: this process's address there.
        controller_ipv6: likewise.
        internet: address of the host outside.
        outside: descriptor of that host's namespace, for `inside`; -1 in a process that came later.
    """

    interface = _BRIDGE
    networks: tuple[IPv4Network | IPv6Network, ...] = (IPv4Network("10.77.0.0/16"), IPv6Network("fd77::/64"))
    controller_ipv4 = IPv4Address("10.77.0.1")
    controller_ipv6 = IPv6Address("fd77::1")
    uplink = IPv4Address("198.51.100.1")
    internet = IPv4Address("198.51.100.2")

    def __init__(self, outside: int = -1) -> None:
        self.outside = outside
        self._things: list[int] = []

    @classmethod
    def create(cls) -> Site:
        """Move this process into a site of its own; its open descriptors stay as they are.

        Call it once, early, while the process has one thread: the kernel lets no other enter a user namespace.

        Raises:
            ConfigError: this kernel or its policy allows neither user namespaces nor, to root, network namespaces.
        """
        _enter_new_site()
        with IPRoute() as route:
            _bring_up(route, "lo")
            options = {"br_mcast_snooping": 0, "br_forward_delay": 0}
            route.link("add", ifname=_BRIDGE, kind="bridge", address=_GATEWAY_MAC, **options)
            bridge = _index(route, _BRIDGE)
            # Things may ask for each other by ARP; this answers for them, so that they talk through us.
            _set_sysctl(f"ipv4/conf/{_BRIDGE}/proxy_arp_pvlan", "1")
            _set_sysctl(f"ipv4/neigh/{_BRIDGE}/proxy_delay", "0")
            _set_sysctl(f"ipv4/conf/{_BRIDGE}/send_redirects", "0")
            _set_sysctl("ipv4/conf/all/send_redirects", "0")
            _set_sysctl(f"ipv6/conf/{_BRIDGE}/accept_dad", "0")
            route.addr("add", index=bridge, address=str(cls.controller_ipv4), prefixlen=16)
            route.addr("add", index=bridge, address=str(cls.controller_ipv6), prefixlen=64, flags=_NODAD)
            _bring_up(route, _BRIDGE)
            route.route("add", dst="224.0.0.0/4", oif=bridge)
            _set_sysctl("ipv4/ip_forward", "1")
            _set_sysctl("ipv6/conf/all/forwarding", "1")
            for table in ("iptables", "ip6tables", "arptables"):
                # With the module loaded, bridged packets would meet the forward chain a second time.
                _set_sysctl(f"bridge/bridge-nf-call-{table}", "0", optional=True)
            outside = _new_namespace()
            _connect_outside(route, outside, cls)
        return cls(outside)

    @classmethod
    def enter(cls, pid: int) -> Site:
        """Move this process into the site that the process `pid` of ours is in; call it as `create`.

        Raises:
            ConfigError: it has ended, or is another user's.
        """
        try:
            user, net = (os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("user", "net"))
            # Its own user namespace is none that a process may enter (setns(2)).
            if os.fstat(user).st_ino != Path("/proc/self/ns/user").stat().st_ino:
                _call("setns", user, _CLONE_NEWUSER)
            _call("setns", net, _CLONE_NEWNET)
        except OSError as error:
            raise ConfigError(f"cannot enter the network of process {pid}: {error.strerror}") from error
        os.close(user)
        os.close(net)
        return cls()

    def attach(self, index: int, *, pid: int | None = None) -> Attachment:
        """Put thing number `index` (1 to 60,000) on the segment.

        Args:
            index: gives its addresses.
            pid: a child that has called `enter_child_namespace`; without it a namespace is made, which the
                child enters with `enter_namespace`, its descriptor passed on.
        """
        if not 1 <= index <= 60_000:
            raise ValueError("things are numbered from 1 to 60000")
        number = 256 + index
        ipv4, ipv6 = (
            IPv4Address(int(self.networks[0].network_address) + number),
            IPv6Address(int(self.networks[1].network_address) + number),
        )
        mac = b"\x02\x77" + index.to_bytes(4, "big")
        namespace = _new_namespace() if pid is None else os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        port = f"t{index}"
        with IPRoute() as route:
            peer = {"ifname": f"{port}p", "address": mac.hex(":")}
            route.link("add", ifname=port, kind="veth", peer=peer)
            route.link("set", index=_index(route, f"{port}p"), net_ns_fd=namespace)
            own = _index(route, port)
            route.link("set", index=own, master=_index(route, self.interface))
            route.brport("set", index=own, isolated=1)
            route.link("set", index=own, state="up")
        inside(namespace, lambda: self._configure_thing(f"{port}p", ipv4, ipv6))
        if pid is not None:
            os.close(namespace)
            return Attachment(mac, ipv4, ipv6)
        self._things.append(namespace)
        return Attachment(mac, ipv4, ipv6, namespace)

    def represent(self, networks: Iterable[IPv4Network]) -> None:
        """Have the host outside be every address of these networks, so that it can stand for an Internet."""
        far = tuple(map(str, networks))

        def claim() -> None:
            with IPRoute() as there:
                loopback = _index(there, "lo")
                for network in far:
                    there.route("add", dst=network, oif=loopback, table=_LOCAL_TABLE, type="local", scope="host")

        with IPRoute() as route:
            for network in far:
                route.route("add", dst=network, gateway=str(self.internet))
        inside(self.outside, claim)

    def close(self) -> None:
        """Let go of the namespaces; each ends with the last process or socket in it."""
        for descriptor in (*self._things, self.outside):
            if descriptor >= 0:
                os.close(descriptor)
        self._things.clear()

    def _configure_thing(self, interface: str, ipv4: IPv4Address, ipv6: IPv6Address) -> None:
        _set_sysctl("ipv6/conf/all/accept_dad", "0")
        with IPRoute() as route:
            index = _index(route, interface)
            route.link("set", index=index, ifname="eth0")
            _bring_up(route, "lo")
            route.addr("add", index=index, address=str(ipv4), prefixlen=16)
            # A whole address of its own, nothing on link: neighbours are reached through the gateway alone.
            route.addr("add", index=index, address=str(ipv6), prefixlen=128, flags=_NODAD)
            _bring_up(route, "eth0")
            route.route("add", dst="default", gateway=str(self.controller_ipv4))
            route.route("add", dst="224.0.0.0/4", oif=index)
            route.route("add", dst=f"{self.controller_ipv6}/128", oif=index, family=socket.AF_INET6)
            route.route("add", dst="default", gateway=str(self.controller_ipv6), oif=index, family=socket.AF_INET6)


_NODAD = 0x02
_LOCAL_TABLE = 255


def inside(descriptor: int, work: Callable[[], _T]) -> _T:
    """Call `work` in the network namespace behind `descriptor`; a socket that it opens stays there."""
    with _here():
        _call("setns", descriptor, _CLONE_NEWNET)
        return work()


def rehearse(work: Callable[[], object]) -> None:
    """Do `work` in a child that ends with it: there is no way back from a namespace that turns out to be useless.

    A container may allow a namespace and refuse to write its settings, a security module may grant it without
    rights, a kernel may lack bridges. Only trying tells. Call it as `Site.create`, with one thread.

    Raises:
        ConfigError: what stopped it.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work()
        except Exception as error:  # noqa: BLE001  whatever stops the child is the parent's answer
            os.write(writing, (str(error) or type(error).__name__).encode("utf-8", "replace"))
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8", errors="replace") as told:
        message = told.read()
    status = os.waitpid(child, 0)[1]
    if message or status:
        raise ConfigError(message or f"the kernel ended the attempt (wait status {status})")


def die_with_parent() -> None:
    """Have the kernel end this process politely when its parent is gone, however that ended; exec keeps it so."""
    _call("prctl", _PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def enter_namespace(descriptor: int) -> None:
    """Move this process's only thread into the network namespace behind `descriptor`.

    Raises:
        OSError: no right to, or no such namespace.
    """
    _call("setns", descriptor, _CLONE_NEWNET)


def enter_child_namespace(*, ready: int, go: int) -> None:
    """Move this child, which dies with its parent, into a network namespace of its own; wait until it is attached.

    Args:
        ready: descriptor to which one byte is written once there is something to attach.
        go: descriptor that the parent writes to, or closes, when it has.
    """
    die_with_parent()
    _call("unshare", _CLONE_NEWNET)
    os.write(ready, b"\0")
    os.read(go, 1)


def _enter_new_site() -> None:
    """Root makes a network namespace; anybody else makes a user namespace first, in which they may."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        if uid == 0:
            _call("unshare", _CLONE_NEWNET)
            return
        _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNET)
    except OSError as error:
        raise ConfigError(
            f"this kernel gives us no {'network' if uid == 0 else 'user'} namespace: {error.strerror}; "
            "see /proc/sys/user/max_user_namespaces and the security module's policy"
        ) from error
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")


def _connect_outside(route: Any, outside: int, site: type[Site]) -> None:
    """A cable to a host that is not ours to command."""
    route.link("add", ifname=_UPLINK, kind="veth", peer={"ifname": "out0"})
    route.link("set", index=_index(route, "out0"), net_ns_fd=outside)
    route.addr("add", index=_index(route, _UPLINK), address=str(site.uplink), prefixlen=24)
    _bring_up(route, _UPLINK)

    def configure() -> None:
        with IPRoute() as there:
            index = _index(there, "out0")
            there.link("set", index=index, ifname=_INTERNET)
            there.addr("add", index=index, address=str(site.internet), prefixlen=24)
            _bring_up(there, "lo")
            _bring_up(there, _INTERNET)
            there.route("add", dst="default", gateway=str(site.uplink))

    inside(outside, configure)


def _new_namespace() -> int:
    """Make a network namespace that lives as long as its descriptor."""
    with _here():
        _call("unshare", _CLONE_NEWNET)
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def _here() -> Iterator[None]:
    """Come back to this thread's namespace at the end."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _call("setns", own, _CLONE_NEWNET)
        os.close(own)


def _call(name: str, *arguments: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*[ctypes.c_ulong(argument) for argument in arguments]) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)


def _index(route: Any, interface: str) -> int:
    found: list[int] = route.link_lookup(ifname=interface)
    return found[0]


def _bring_up(route: Any, interface: str) -> None:
    route.link("set", index=_index(route, interface), state="up")


def _set_sysctl(name: str, value: str, *, optional: bool = False) -> None:
    path = Path("/proc/sys/net") / name
    if not optional or path.exists():
        path.write_text(value, encoding="ascii")
