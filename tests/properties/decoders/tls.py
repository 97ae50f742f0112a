"""What TLS shows in clear."""

from tests.properties.decoder import Decoder
from tests.unit.protocols.tls.hello import body, dtls, extension, numbers, tls, vector
from thingstead.protocols.tls import client_hello

_EXTENSIONS = (extension(10, vector(2, numbers(29))), extension(43, vector(1, numbers(0x0304))))

DECODERS = (
    Decoder(
        "tls.client_hello.decode",
        client_hello.decode,
        (tls(body(*_EXTENSIONS)).hex(), dtls(body(*_EXTENSIONS, cookie=b"")).hex()),
    ),
)
