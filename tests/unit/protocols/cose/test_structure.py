import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import structure
from thingstead.protocols.cose.structure import CoseTag


@pytest.mark.spec("RFC 9052 4.4")
def test_what_a_signature_covers_tells_one_signer_from_several():
    one = structure.sig_structure(body_protected=b"\xa0", external_aad=b"a", payload=b"p")
    several = structure.sig_structure(body_protected=b"\xa0", sign_protected=b"", external_aad=b"a", payload=b"p")
    assert codec.decode(one) == ["Signature1", b"\xa0", b"a", b"p"]
    assert codec.decode(several) == ["Signature", b"\xa0", b"", b"a", b"p"]


@pytest.mark.spec("RFC 9052 6.3")
def test_what_a_mac_covers_names_its_context():
    covered = structure.mac_structure("MAC0", protected=b"h", external_aad=b"a", payload=b"p")
    assert codec.decode(covered) == ["MAC0", b"h", b"a", b"p"]


@pytest.mark.spec("RFC 9052 5.3")
def test_the_additional_data_of_an_aead_names_its_context():
    assert codec.decode(structure.enc_structure("Encrypt", protected=b"h", external_aad=b"a")) == [
        "Encrypt",
        b"h",
        b"a",
    ]


@pytest.mark.spec("RFC 9052 2")
@pytest.mark.parametrize("tag", list(CoseTag), ids=lambda tag: tag.name)
def test_a_message_is_opened_with_its_tag_and_without_and_with_no_other(tag):
    size = {CoseTag.ENCRYPT0: 3, CoseTag.MAC: 5}.get(tag, 4)
    elements: list[object] = [{}] * size
    for tagged in (True, False):
        data = structure.wrap_array(elements, tag, tagged=tagged)
        assert structure.open_array(data, tag, limits=codec.DEFAULT_LIMITS) == elements
    for other in set(CoseTag) - {tag}:
        with pytest.raises(DecodeError):
            structure.open_array(structure.wrap_array(elements, other, tagged=True), tag, limits=codec.DEFAULT_LIMITS)


@pytest.mark.spec("RFC 9052 2")
@pytest.mark.parametrize("elements", [[], [1] * 3, [1] * 5, {1: 1, 2: 2, 3: 3, 4: 4}, b"1234", None])
def test_an_array_of_another_size_is_refused(elements):
    for data in (codec.encode(elements), codec.encode(codec.Tag(18, elements))):
        with pytest.raises(DecodeError, match="array of 4"):
            structure.open_array(data, CoseTag.SIGN1, limits=codec.DEFAULT_LIMITS)
