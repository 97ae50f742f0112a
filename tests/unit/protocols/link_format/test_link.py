import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.link_format.link import Limits, Link, parse, render


@pytest.mark.spec("RFC 6690 5")
def test_links_are_read_with_their_attributes():
    links = parse(b'</sensors/temp>;if="sensor";rt="temperature-c outdoor" ; obs,\n </fw>;sz=12;title="a \\"b\\", c"')
    assert [link.target for link in links] == ["/sensors/temp", "/fw"]
    assert links[0].values("rt") == ["temperature-c", "outdoor"]
    assert (links[0].has("obs"), links[0].attribute("obs"), links[0].has("ct")) == (True, None, False)
    assert (links[1].attribute("sz"), links[1].attribute("title")) == ("12", 'a "b", c')


def test_an_empty_document_has_no_links():
    assert parse(b"") == []
    assert render([]) == b""


@pytest.mark.spec("RFC 6690 2")
@pytest.mark.parametrize(
    "data",
    [b"x", b"<a", b"</a>,", b"</a>;", b"</a>;x=", b'</a>;x="y', b"</a> </b>", b"</a>x", b"\xff", b"<a b>", b"</a>;=1"],
)
def test_what_the_grammar_does_not_allow_is_refused(data):
    with pytest.raises(DecodeError):
        parse(data)


@pytest.mark.parametrize("data", [b"</a>" * 9, b"</a>,</b>,</c>", b"</a>;a;b;c"], ids=["bytes", "links", "attributes"])
def test_a_document_over_its_limits_is_refused(data):
    with pytest.raises(DecodeError):
        parse(data, limits=Limits(max_bytes=30, max_links=2, max_attributes=2))


def test_what_is_rendered_is_parsed_to_the_same():
    links = [Link("/a", (("rt", 'x "y" \\ z'), ("obs", None))), Link("coap://[::1]/b")]
    assert parse(render(links)) == links


@pytest.mark.parametrize("link", [Link("/a>"), Link("/a", (("x y", None),)), Link("/a", (("", "v"),))])
def test_what_the_grammar_does_not_allow_is_not_rendered(link):
    with pytest.raises(ValueError, match="not a"):
        render([link])
