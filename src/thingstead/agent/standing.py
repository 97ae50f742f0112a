"""What a thing tells its domain of others: would it accept this member of a group, or who holds these tokens?"""

from __future__ import annotations

from collections.abc import Callable, Collection

from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import ForbiddenError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile import path, standing
from thingstead.protocols.profile.standing import MemberStanding, StandingQuestion

__all__ = ["serve"]

_CBOR = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.CBOR))]


def serve(
    resources: Resources,
    *,
    member: Callable[[StandingQuestion], MemberStanding],
    holder: Callable[[Collection[bytes]], MemberStanding],
) -> None:
    """Register the resource; it answers the domain alone.

    Args:
        resources: where.
        member: answers for the members of groups.
        holder: answers for who holds tokens of these hashes.
    """

    def tell(call: Call) -> Message:
        if call.event.association is None:
            raise ForbiddenError("expected the domain itself, not a member of a group", spec="RFC 9594 §6")
        asked = standing.decode_question(call.request.payload)
        answer = member(asked) if isinstance(asked, StandingQuestion) else holder(asked.hashes)
        return Message(Code.CONTENT, options=_CBOR, payload=answer.encode())

    resources.register(path.STANDING, Code.FETCH, tell)
