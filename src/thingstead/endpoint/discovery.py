"""``/.well-known/core``: each asker is shown what it may use, and nothing else (RFC 6690 §4, RFC 9668 §6)."""

from __future__ import annotations

from collections.abc import Mapping

from thingstead.endpoint.resource import Call, Handler, Resources
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.link import Link
from thingstead.protocols.link_format.query import select

__all__ = ["PATH", "Attributes", "discovery"]

PATH = "/.well-known/core"

Attributes = tuple[tuple[str, str | None], ...]


def discovery(resources: Resources, attributes: Mapping[str, Attributes]) -> Handler:
    """A handler for GET on `PATH`; strangers see what answers anyone, a peer also what its scope holds.

    A query picks among these (RFC 6690 §4.1).

    Args:
        resources: what is served.
        attributes: link attributes by path, for those that have any.
    """

    def answer(call: Call) -> Message:
        visible = [Link(path, attributes.get(path, ())) for path in resources.visible(call.event) if path != PATH]
        links = select(visible, call.request.queries)
        if not links and call.event.is_multicast:
            # To a group nothing is said where nothing fits; as an error this stays unsaid (RFC 6690 §4.1).
            return Message(Code.NOT_FOUND)
        options = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.LINK_FORMAT))]
        return Message(Code.CONTENT, options=options, payload=link.render(links))

    return answer
