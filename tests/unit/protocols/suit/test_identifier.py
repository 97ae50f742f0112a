from uuid import UUID

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier


@pytest.mark.spec("RFC 9562 A.4")
def test_the_chain_starts_in_the_dns_name_space():
    assert UUID(bytes=vendor_identifier("www.example.com")) == UUID("2ed6657d-e927-568b-95e1-2665a8aea6a2")


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.8.2")
def test_a_class_belongs_to_its_vendor():
    one, two = vendor_identifier("one.example"), vendor_identifier("two.example")
    assert class_identifier(one, "lamp") != class_identifier(two, "lamp")
    assert UUID(bytes=class_identifier(one, "lamp")).version == 5


def test_a_vendor_that_is_no_uuid_has_no_classes():
    with pytest.raises(DecodeError):
        class_identifier(b"short", "lamp")
