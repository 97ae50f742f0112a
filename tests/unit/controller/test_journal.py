"""What a domain knows of a journal is read back, and damage is no knowledge."""

import pytest

from thingstead.controller.journal import Book
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.maintenance import Task

pytestmark = pytest.mark.requirement("R-07")
BOOK = Book(b"journal1", 7, (3, 5), ((Task.BEGIN, "owner"),), ((1, 2),))


def test_a_book_is_read_back():
    assert Book.decode(BOOK.encode()) == BOOK
    assert Book.decode(Book().encode()) == Book()


def test_what_only_grows_is_cut_at_its_old_end():
    grown = Book(missing=tuple((n, n) for n in range(100)), answered=tuple(range(100)))
    kept = Book.decode(grown.encode())
    assert (kept.missing[-1], kept.answered[-1], len(kept.missing), len(kept.answered)) == ((99, 99), 99, 64, 64)


@pytest.mark.parametrize(
    "value", [[], [b"", 0, [], [], [[1]]], [b"", 0, [], [["begin"]], []], ["", 0, [], [], []], [b"", None, [], [], []]]
)
def test_damage_is_refused(value):
    with pytest.raises(DecodeError):
        Book.decode(codec.encode(value))
