import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import custody, papers
from thingstead.protocols.profile.papers import Papers

SHOWN = Papers(b"identity", b"voucher", (b"link", b"link"))


def test_papers_are_read_as_they_were_written_and_end_in_the_last_link():
    assert papers.decode(papers.encode(SHOWN)) == SHOWN
    assert SHOWN.head == custody.head(b"voucher", (b"link",))


@pytest.mark.parametrize(
    "value",
    [b"", [], [b"", b""], [b"", b"", b""], ["", b"", []], [b"", b"", [1]], [b"", b"", [b""] * 33], [b"", b"", [], 1]],
)
def test_what_are_no_papers_is_refused(value):
    with pytest.raises(DecodeError):
        papers.decode(codec.encode(value))
