"""OSCORE contexts of a demo in the form that Wireshark and tshark read, so that its traffic can be studied.

Whoever holds the file reads and forges everything: it is written on explicit demand, of simulated things only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from thingstead.agent import association as association_codec
from thingstead.agent.association import DomainAssociation
from thingstead.agent.file_home import FileHome
from thingstead.agent.membership import ASSOCIATION
from thingstead.agent.program import HOME
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import UnsupportedError
from thingstead.storage.directory import write_whole

__all__ = ["FILE", "associations", "render", "write"]

FILE = "oscore_contexts"
"""The name under which Wireshark looks for it, in a directory that ``WIRESHARK_CONFIG_DIR`` names."""

_ALGORITHMS = {AlgorithmId.AES_CCM_16_64_128: "AES-CCM-16-64-128 (CCM*)"}

_WARNING = """\
# THESE ARE KEYS. Whoever reads this file can read and forge all messages of the things below.
# They are keys of a demo, of things that do not exist; nothing else belongs in here.
#
# To decrypt a capture, put this file into a directory under the name oscore_contexts, then:
#   WIRESHARK_CONFIG_DIR=that-directory tshark -r demo.pcap -Y oscore
#
# Sender ID, Recipient ID, Master Secret, Master Salt, ID Context, algorithm: once for each direction.
"""


def write(path: Path, homes: Iterable[Path]) -> int:
    """Write the contexts of things to `path`, mode 0600; returns how many things were members.

    Args:
        path: the file; replaced.
        homes: state directories of simulated things.

    Raises:
        StorageError: a directory cannot be read, or the file not be written.
        UnsupportedError: an algorithm that Wireshark's dissector has no name for.
    """
    found = tuple(associations(homes))
    write_whole(path, render(found).encode())
    return len(found)


def associations(homes: Iterable[Path]) -> Iterator[DomainAssociation]:
    """What the things that have joined hold; the others are passed over.

    Raises:
        StorageError: a directory cannot be read.
    """
    for home in homes:
        saved = FileHome(home / HOME).load(ASSOCIATION)
        if saved is not None:
            yield association_codec.decode(saved)


def render(members: Iterable[DomainAssociation]) -> str:
    """The file's text.

    Raises:
        UnsupportedError: an algorithm that Wireshark's dissector has no name for.
    """
    return _WARNING + "".join(_row(member, *ids) for member in members for ids in _directions(member))


def _directions(member: DomainAssociation) -> tuple[tuple[bytes, bytes], ...]:
    ids = (member.sender_id, member.recipient_id)
    return ids, ids[::-1]


def _row(member: DomainAssociation, sender_id: bytes, recipient_id: bytes) -> str:
    name = _ALGORITHMS.get(AlgorithmId(member.aead_id))
    if name is None or member.digest_id != AlgorithmId.SHA_256:
        raise UnsupportedError(f"Wireshark has no name for AEAD {member.aead_id} with hash {member.digest_id}")
    secret = member.master_secret.reveal().hex()
    fields = (sender_id.hex(), recipient_id.hex(), secret, member.master_salt.hex(), "", name)
    return ",".join(f'"{field}"' for field in fields) + "\n"
