"""Two queues in the kernel for one UDP address: a flood of strangers fills theirs, and not that of verified sources.

A second socket shares address and port (SO_REUSEPORT), and a classic BPF program says which of the two takes a
datagram: it hashes the source under secret factors and looks the result up in a tree of comparisons. Without secret
factors a stranger could choose a port that hashes to a verified source.
"""

from __future__ import annotations

import logging
import socket
import struct
from array import array
from collections.abc import Callable, Sequence

__all__ = ["SourceQueues"]

_LOGGER = logging.getLogger(__name__)
_SO_ATTACH_REUSEPORT_CBPF = 51
_MAX_KNOWN = 2048
"""Sources in one program: the kernel takes 4,096 instructions, and one source costs one and a half."""
_LEAF = 8
_KNOWN, _STRANGERS = 0, 1
"""The order in which the sockets joined."""

_INSTRUCTION = struct.Struct("=HBBI")
_PROGRAM = struct.Struct("@HP")
_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE = 0x20, 0x28, 0x30
_LOAD_MEMORY_X, _STORE = 0x61, 0x02
_ADD_X, _MULTIPLY, _SHIFT_RIGHT = 0x0C, 0x24, 0x74
_JUMP, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _RETURN = 0x05, 0x15, 0x35, 0x06
_NETWORK_HEADER = -0x100000
_ADDRESSES = {socket.AF_INET: ((12,), 20, 4), socket.AF_INET6: ((8, 12, 16, 20), 40, 6)}
"""Offsets of the words of the source address and of its port, and the version in the first four bits."""

_Instruction = tuple[int, int, int, int]


class SourceQueues:
    """The second socket beside the first, and the program that sorts; at first everything goes to the first.

    Attributes:
        strangers: the second socket; what it receives is answered from either.
    """

    def __init__(self, sock: socket.socket, strangers: socket.socket, factors: Sequence[int]) -> None:
        self.strangers = strangers
        self._sock = sock
        self._family = sock.family
        self._factors = factors

    @classmethod
    def beside(cls, sock: socket.socket, random_bytes: Callable[[int], bytes]) -> SourceQueues | None:
        """Open the second socket; None where the kernel cannot do that, which is logged.

        `sock` was bound for itself alone, so that an address which is taken was noticed; from now on another program
        of the same user can join it.
        """
        strangers = socket.socket(sock.family, sock.type)
        try:
            strangers.setblocking(False)
            size = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            strangers.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size // 2)
            for each in (sock, strangers):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            # Until it is bound nothing is sorted, and then all of it to the first.
            strangers.bind(sock.getsockname())
            factors = struct.unpack("5I", random_bytes(20))
            made = cls(sock, strangers, [factor | 1 for factor in factors])
            made._attach([(_RETURN, 0, 0, _KNOWN)])
        except (AttributeError, OSError) as error:
            strangers.close()
            _LOGGER.warning("strangers have no queue of their own here: %s", error)
            return None
        return made

    def admit(self, sources: Sequence[tuple[str, int]]) -> None:
        """Sort from now on: these sources to the first socket, all others to the second; of many the last 2,048.

        Where the kernel has no room for that many, it goes on as before.
        """
        try:
            keys = sorted({self._key(source) for source in sources[-_MAX_KNOWN:]})
            self._attach([*self._hash(), *_tree(keys)])
        except OSError as error:
            _LOGGER.warning("%d verified sources cannot be kept apart from strangers: %s", len(sources), error)

    def close(self) -> None:
        """Close the second socket."""
        self.strangers.close()

    def _key(self, source: tuple[str, int]) -> int:
        words = struct.iter_unpack(">I", socket.inet_pton(self._family, source[0].partition("%")[0]))
        values = [source[1], *[int(word) for (word,) in words]]
        return sum([value * factor for value, factor in zip(values, self._factors, strict=False)]) & 0xFFFFFFFF

    def _hash(self) -> list[_Instruction]:
        """What leaves `_key` of a datagram's source in the accumulator; of another IP version it is a stranger's."""
        words, port, version = _ADDRESSES[self._family]
        program = [
            (_LOAD_BYTE, 0, 0, _NETWORK_HEADER & 0xFFFFFFFF),
            (_SHIFT_RIGHT, 0, 0, 4),
            (_JUMP_EQUAL, 1, 0, version),
            (_RETURN, 0, 0, _STRANGERS),
            (_LOAD_HALF, 0, 0, _NETWORK_HEADER + port & 0xFFFFFFFF),
            (_MULTIPLY, 0, 0, self._factors[0]),
        ]
        for offset, factor in zip(words, self._factors[1:], strict=False):
            program += [
                (_STORE, 0, 0, 0),
                (_LOAD_WORD, 0, 0, _NETWORK_HEADER + offset & 0xFFFFFFFF),
                (_MULTIPLY, 0, 0, factor),
                (_LOAD_MEMORY_X, 0, 0, 0),
                (_ADD_X, 0, 0, 0),
            ]
        return program

    def _attach(self, program: list[_Instruction]) -> None:
        code = array("B", b"".join(_INSTRUCTION.pack(*instruction) for instruction in program))
        # The kernel copies the program before the call returns, so the array may go then.
        address, _ = code.buffer_info()
        self._sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, _PROGRAM.pack(len(program), address))


def _tree(keys: list[int]) -> list[_Instruction]:
    """Which socket: the first for an accumulator that is one of the ascending `keys`, else the second."""
    count = len(keys)
    if count <= _LEAF:
        found = [(_JUMP_EQUAL, count - place, 0, key) for place, key in enumerate(keys)]
        return [*found, (_RETURN, 0, 0, _STRANGERS), (_RETURN, 0, 0, _KNOWN)]
    middle = count // 2
    less, more = _tree(keys[:middle]), _tree(keys[middle:])
    return [(_JUMP_GREATER_EQUAL, 0, 1, keys[middle]), (_JUMP, 0, 0, len(less)), *less, *more]
