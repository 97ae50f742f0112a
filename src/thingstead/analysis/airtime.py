"""What it costs a link to carry a body to a thing: messages, frames, octets, seconds (R-45).

Octets of CoAP are not estimated: one exchange of each kind is encoded and protected by the codecs that things and
domain speak with (block-wise inside OSCORE, RFC 7959 and RFC 8613), and measured. What the link adds comes from
`link_profile`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from thingstead.analysis.link_profile import LinkProfile
from thingstead.protocols.coap import message
from thingstead.protocols.coap.block import Block
from thingstead.protocols.coap.message import Message, MessageType
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.protection import protect_request, protect_response, unprotect_request
from thingstead.secret import Secret

__all__ = ["Transfer", "transfer"]

_ETAG = b"\x00" * 8
_TOKEN = b"\x10\x00"
# From the 256th request on a Partial IV has two octets, and a transfer that matters is past that soon.
_SEQUENCE = 0x100
_LARGEST_SZX = 6
_MAX_BLOCKS = 1 << 20
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """One body, over one link.

    Attributes:
        link: name of the profile.
        block_size: octets of a block of RFC 7959; 0 where the link carries no CoAP, and fragments stand for blocks.
        exchanges: requests, each with its response.
        frames: of the link, both ways.
        octets: of CoAP messages, both ways, without what the link adds.
        air: seconds that frames are on the air, both ways.
        elapsed: seconds that it takes at least, with duty cycle, pace and daily allowance.
    """

    link: str
    block_size: int
    exchanges: int
    frames: int
    octets: int
    air: float
    elapsed: float


def transfer(size: int, link: LinkProfile, *, path: str = "/update/image", etag: bool = True) -> Transfer:
    """Fetch `size` octets with the block size that takes this link the least time.

    Args:
        size: octets of the body.
        link: the profile.
        path: of the resource.
        etag: whether its representation has one.
    """
    if link.daily:
        return _trickle(size, link)
    found = [_blocks(size, szx, link, path, etag) for szx in range(_LARGEST_SZX + 1) if size >> (szx + 4) < _MAX_BLOCKS]
    return min(found, key=lambda one: (one.elapsed, one.frames))


def _blocks(size: int, szx: int, link: LinkProfile, path: str, etag: bool) -> Transfer:
    frames, octets, air, block_size = 0, 0, 0.0, 16 << szx
    blocks = max(math.ceil(size / block_size), 1)
    for first, last in _runs(blocks):
        payload = size - (blocks - 1) * block_size if first == blocks - 1 else block_size
        for sent in _exchange(first, first < blocks - 1, szx, payload, path, etag):
            of_one, on_air = _datagram(sent, link)
            frames += of_one * (last - first)
            octets += sent * (last - first)
            air += on_air * (last - first)
    elapsed = max(air / link.duty, frames * link.gap)
    return Transfer(link.name, block_size, blocks, frames, octets, air, elapsed)


def _runs(blocks: int) -> list[tuple[int, int]]:
    """Blocks whose messages have one size: the first, then by octets of the Block2 option, the last (RFC 7959 §2.2)."""
    bounds = sorted({0, 1, *[bound for bound in (16, 4096) if bound < blocks], blocks - 1, blocks})
    return [pair for pair in pairwise(bounds) if pair[1] <= blocks]


@cache
def _exchange(num: int, more: bool, szx: int, payload: int, path: str, etag: bool) -> tuple[int, int]:
    """Octets of one protected request and of its response, as they go into UDP."""
    thing, domain = _contexts()
    request = message.request(Code.GET, path)
    request.type, request.token = MessageType.CON, _TOKEN
    if num:
        request = request.with_options((int(OptionNumber.BLOCK2), Block(num, False, szx).encode()))
    sent, _ = protect_request(request, context=thing)
    _, binding = unprotect_request(sent, context=domain)
    options = [(int(OptionNumber.ETAG), _ETAG)] if etag else []
    options.append((int(OptionNumber.BLOCK2), Block(num, more, szx).encode()))
    answer = Message(Code.CONTENT, MessageType.ACK, 0, _TOKEN, options, bytes(payload))
    return len(message.encode(sent)), len(message.encode(protect_response(answer, binding=binding)))


def _contexts() -> tuple[SecurityContext, SecurityContext]:
    secret = Secret(bytes(16))
    sequence = SequenceNumbers(_SEQUENCE)
    thing = SecurityContext.derive(secret, sender_id=b"\x01", recipient_id=b"\x02", sequence=sequence)
    return thing, SecurityContext.derive(secret, sender_id=b"\x02", recipient_id=b"\x01")


def _datagram(octets: int, link: LinkProfile) -> tuple[int, float]:
    """Frames of a datagram, and their time on the air."""
    whole = octets + link.header
    if whole <= link.frame:
        return 1, link.air(whole)
    room = link.frame - link.fragment_header
    full, rest = divmod(whole, room)
    air = full * link.air(link.frame) + (link.air(rest + link.fragment_header) if rest else 0.0)
    return full + (rest > 0), air


def _trickle(size: int, link: LinkProfile) -> Transfer:
    """Bare fragments, so many in a day: no exchange of CoAP fits."""
    frames = math.ceil(size / (link.frame - link.fragment_header))
    octets = size + frames * link.fragment_header
    return Transfer(link.name, 0, 0, frames, octets, frames * link.air(link.frame), frames / link.daily * _DAY)
