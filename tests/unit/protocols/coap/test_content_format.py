from thingstead.protocols.coap.content_format import media_type
from thingstead.protocols.coap.registry import ContentFormat


def test_an_unknown_number_is_named_by_itself():
    assert media_type(ContentFormat.SENML_CBOR) == "application/senml+cbor"
    assert media_type(65535) == "content-format/65535"
