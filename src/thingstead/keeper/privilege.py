"""What a process gives up before it begins: its user, its rights, and being looked into."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from collections.abc import Collection, Sequence

from thingstead.errors import ConfigError

__all__ = ["CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "become"]

CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW = 10, 12, 13
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 1, 4, 8, 38, 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522


def become(user: int | None, *, parent: int, capabilities: Collection[int] = (), groups: Sequence[int] = ()) -> None:
    """Go on as `user` with no right but `capabilities`; nobody looks into this process, and it ends with `parent`.

    Args:
        user: number of the user, and of its group; None stays who one is.
        parent: process without which this one ends.
        capabilities: those that are kept.
        groups: of the user, beside its own.

    Raises:
        ConfigError: the kernel does not let us; nothing may go on then.
    """
    try:
        if user is not None:
            if capabilities:
                _prctl(_PR_SET_KEEPCAPS, 1)
            os.setgroups(groups)
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            _keep(capabilities)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _prctl(_PR_SET_DUMPABLE, 0)
        # After the change of user, which forgets it.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except OSError as error:
        raise ConfigError(f"cannot give up rights: {error}") from error
    if os.getppid() != parent:
        raise ConfigError("whoever started this process is gone")


def _keep(capabilities: Collection[int]) -> None:
    """The kernel took all with the user; give some back, also to programs that are run."""
    mask = sum(1 << one for one in set(capabilities))
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    data = struct.pack("=6I", low, low, low, high, high, high)
    library = ctypes.CDLL(None, use_errno=True)
    if library.capset(header, data):
        raise OSError(ctypes.get_errno(), "capset")
    for one in capabilities:
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, one)


def _prctl(option: int, *values: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    arguments = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if library.prctl(option, *arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")
