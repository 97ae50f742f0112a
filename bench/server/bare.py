"""What no server of OSCORE in this language gets below: a request opened and answered by hand, and nothing else done.

No de-duplication, no replay window that moves, no options but the one, no limits, no counters, no decision, one
association and one path. ``python -m bench.server.bare PORT FOLDER``
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from thingstead.protocols.cbor import codec
from thingstead.transport.udp import open_socket

_AT_ONCE = 64
_AES_CCM_16_64_128 = 10
_TOKEN, _OPTION = slice(4, 8), 8
_ANSWER = b"\x45\xffHello World!"


async def main(port: int, folder: Path) -> None:
    settings = {name: bytes.fromhex(text) for name, text in json.loads((folder / "settings.json").read_text()).items()}
    kid = settings["recipient-id_hex"]
    opens, seals = (
        AESCCM(_derived(settings, settings[f"{side}-id_hex"], "Key", 16), tag_length=8)
        for side in ("recipient", "sender")
    )
    common = int.from_bytes(_derived(settings, b"", "IV", 13), "big")
    named = common ^ int.from_bytes(len(kid).to_bytes(1, "big") + kid.rjust(7, b"\0") + bytes(5), "big")
    algorithms = b"\x85\x01\x81\x0a" + codec.encode(kid)
    with open_socket("::1", port) as sock:

        def drain() -> None:
            with suppress(BlockingIOError):
                for _ in range(_AT_ONCE):
                    data, source = sock.recvfrom(2048)
                    if data[1] == 0x01 or data[_OPTION] >> 4 != 9:
                        sock.sendto(b"\x64\x45" + data[2:8] + b"\xffHello World!", source)
                        continue
                    size = data[_OPTION + 1] & 0x07
                    piv = data[_OPTION + 2 : _OPTION + 2 + size]
                    at = data.index(b"\xff", _OPTION + 2 + size) + 1
                    nonce = (named ^ int.from_bytes(piv, "big")).to_bytes(13, "big")
                    covered = algorithms + codec.encode(piv) + b"\x40"
                    additional = b"\x83\x68Encrypt0\x40" + codec.encode(covered)
                    if opens.decrypt(nonce, data[at:], additional):
                        sealed = seals.encrypt(nonce, _ANSWER, additional)
                        sock.sendto(b"\x64\x44" + data[2:4] + data[_TOKEN] + b"\x90\xff" + sealed, source)

        asyncio.get_running_loop().add_reader(sock, drain)
        print("bare", flush=True)
        await asyncio.get_running_loop().create_future()


def _derived(settings: dict[str, bytes], identifier: bytes, what: str, size: int) -> bytes:
    """RFC 8613 section 3.2.1."""
    info = codec.encode([identifier, None, _AES_CCM_16_64_128, what, size])
    return HKDF(hashes.SHA256(), size, settings["salt_hex"], info).derive(settings["secret_hex"])


asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
