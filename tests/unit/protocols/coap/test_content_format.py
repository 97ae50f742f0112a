from thingstead.protocols.coap.content_format import CONTENT_FORMATS, ContentFormat, Status, media_type


def test_every_number_has_its_row_and_no_media_type_comes_twice():
    assert set(CONTENT_FORMATS) == set(ContentFormat)
    assert len({row.media_type for row in CONTENT_FORMATS.values()}) == len(CONTENT_FORMATS)


def test_a_number_that_rests_on_a_draft_says_so():
    drafts = {row.number for row in CONTENT_FORMATS.values() if row.source.startswith("draft-")}
    assert drafts == {row.number for row in CONTENT_FORMATS.values() if row.status is not Status.ASSIGNED}


def test_an_unknown_number_is_named_by_itself():
    assert media_type(ContentFormat.SENML_CBOR) == "application/senml+cbor"
    assert media_type(65535) == "content-format/65535"
