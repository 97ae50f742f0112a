"""What a thing keeps of its numbers only grows, and is never guessed."""

import pytest

from thingstead.agent.membership import ASSOCIATION, Membership
from thingstead.errors import DecodeError

pytestmark = pytest.mark.spec("RFC 8613 B.1.1")


class Home(dict[str, bytes]):
    """A home that counts what is written to it."""

    def __init__(self, *args):
        super().__init__(*args)
        self.writes = []

    def load(self, name):
        return self.get(name)

    def save(self, name, value):
        self.writes.append((name, value))
        self[name] = value

    def delete(self, name):
        self.pop(name, None)


def membership(home):
    return Membership(home, utc=lambda: pytest.fail("nobody asked what time it is"))


def test_an_empty_home_is_no_membership():
    assert membership(Home()).load() is None


def test_reserved_numbers_never_go_back():
    home = Home()
    kept = membership(home)
    for upto in (256, 512, 256, 300, 512):
        kept.reserve(upto)
    assert [int.from_bytes(value, "big") for _, value in home.writes] == [256, 512]


@pytest.mark.parametrize("number", [None, b"", b"\0", bytes(7), bytes(9)])
def test_an_association_without_its_number_is_refused(number):
    home = Home({ASSOCIATION: b"\x80"})
    if number is not None:
        home["sequence"] = number
    with pytest.raises(DecodeError, match="expected a sequence number of 8 bytes"):
        membership(home).load()


@pytest.mark.parametrize("damaged", [b"", b"\x80", b"\xff", bytes(40)])
def test_a_damaged_association_is_refused_and_left_alone(damaged):
    home = Home({ASSOCIATION: damaged, "sequence": bytes(8)})
    with pytest.raises(DecodeError):
        membership(home).load()
    assert home.writes == []
