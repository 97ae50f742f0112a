"""A server of ours on loopback, with a few resources, and two halves of one OSCORE context."""

import asyncio

from thingstead.coap.server import Server
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.secret import Secret
from thingstead.storage.oscore_context import ContextFile, OscoreParameters, Sequences

LARGE = bytes(range(256)) * 20
PARAMETERS = OscoreParameters(Secret(bytes(range(1, 17))), b"\x01", b"\x02", id_context=b"\x37")
CBOR = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.CBOR))]


def run(story, *, host="::1", **options):
    """Play a story with a server of a few resources."""

    async def whole():
        async with asyncio.timeout(20), Server(host, 0, **options) as server:
            stored = {"body": b""}

            def put(call):
                stored["body"] = call.request.payload
                return Message(Code.CHANGED)

            def get(call):
                return Message(Code.CONTENT, options=CBOR, payload=stored["body"])

            public = not options.get("oscore")
            server.serve("/hello", Code.GET, lambda call: Message(Code.CONTENT, payload=b"hello"), public=public)
            server.serve(
                "/query",
                Code.GET,
                lambda call: Message(Code.CONTENT, payload=";".join(call.request.queries).encode()),
                public=public,
            )
            server.serve("/store", Code.PUT, put, public=public)
            server.serve("/store", Code.GET, get, public=public, observable=True)
            server.serve(
                "/fault", Code.POST, lambda call: Message(Code.SERVICE_UNAVAILABLE, payload=b"later"), public=public
            )
            server.serve("/silent", Code.GET, lambda call: None, public=public)
            name = f"[{host}]" if ":" in host else host
            return await story(server, f"coap://{name}:{server.port}")

    return asyncio.run(whole())


def halves(folder):
    """Ours and theirs of a context that nobody has used."""
    ours, theirs = folder / "ours.oscore", folder / "theirs.oscore"
    ContextFile.create(ours, PARAMETERS, Sequences(0, None, is_new=True)).close()
    ContextFile.create(theirs, PARAMETERS.mirrored(), Sequences(0, None, is_new=True)).close()
    return ours, theirs
