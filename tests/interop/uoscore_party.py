"""One end of uOSCORE (C), driven over standard input and output; its library is the first argument.

uOSCORE converts messages and sends none. A request is one line of JSON, ``[function, arguments]``, byte strings in hex;
the answer is ``["ok", hex]`` or ``["refused", number of its error]``.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

_CONTEXT_SIZE = 1 << 16
"""More than its `struct context` takes; only uOSCORE looks inside."""

_MESSAGE_SIZE = 2048
_AES_CCM_16_64_128 = 10
_HKDF_SHA_256 = 0


class ByteArray(ctypes.Structure):
    """`struct byte_array`."""

    _fields_ = [("len", ctypes.c_uint32), ("ptr", ctypes.c_char_p)]

    @classmethod
    def of(cls, value: bytes) -> ByteArray:
        return cls(len(value), value or None)


class Parameters(ctypes.Structure):
    """`struct oscore_init_params`."""

    _fields_ = [
        ("master_secret", ByteArray),
        ("sender_id", ByteArray),
        ("recipient_id", ByteArray),
        ("id_context", ByteArray),
        ("master_salt", ByteArray),
        ("aead_alg", ctypes.c_int),
        ("hkdf", ctypes.c_int),
        ("fresh_master_secret_salt", ctypes.c_bool),
    ]


class RefusedError(Exception):
    """uOSCORE returned an error."""


class Party:
    """Functions by the names of the lines that ask for them."""

    def __init__(self, library: str) -> None:
        self._library = ctypes.CDLL(library)
        self._context = ctypes.create_string_buffer(_CONTEXT_SIZE)
        self._parameters: Parameters | None = None

    def begin(self, secret: bytes, salt: bytes, sender_id: bytes, recipient_id: bytes, id_context: bytes) -> bytes:
        """Make the one context of this party; its keys are as fresh as its sequence numbers (RFC 8613 §7.2.1)."""
        arrays = [ByteArray.of(value) for value in (secret, sender_id, recipient_id, id_context, salt)]
        self._parameters = Parameters(*arrays, _AES_CCM_16_64_128, _HKDF_SHA_256, True)
        self._context = ctypes.create_string_buffer(_CONTEXT_SIZE)
        self._require(self._library.oscore_context_init(ctypes.byref(self._parameters), self._context))
        return b""

    def protect(self, message: bytes) -> bytes:
        return self._convert(self._library.coap2oscore, message)

    def unprotect(self, message: bytes) -> bytes:
        return self._convert(self._library.oscore2coap, message)

    def _convert(self, function: Any, message: bytes) -> bytes:
        converted, size = ctypes.create_string_buffer(_MESSAGE_SIZE), ctypes.c_uint32(_MESSAGE_SIZE)
        given = ctypes.create_string_buffer(message, len(message))
        self._require(function(given, len(message), converted, ctypes.byref(size), self._context))
        return converted.raw[: size.value]

    def _require(self, error: int) -> None:
        if error:
            raise RefusedError(error)


def main(library: str) -> None:
    party = Party(library)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = ["ok", getattr(party, name)(*map(bytes.fromhex, arguments)).hex()]
        except RefusedError as error:
            answer = ["refused", error.args[0]]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
