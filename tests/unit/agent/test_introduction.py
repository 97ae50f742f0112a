"""A thing shows who it is, under its code, to whoever holds the code too; whom it met it keeps in the code's place."""

import asyncio
import random
from typing import Any

import pytest

from tests.unit.agent.test_joining import is_error, joining
from tests.unit.domain.things import AT
from tests.unit.phases.test_bootstrap import _CCS, _DOMAIN_KEY, _bootstrap
from thingstead.agent.introduction import INSTALL_CODE, Introduction
from thingstead.errors import AuthenticationError, DecodeError, StorageError, ThingsteadError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.edhoc.shared_key import SharedCredential
from thingstead.protocols.profile.install_code import key_of, kid_of, make_code, shared_credential

pytestmark = pytest.mark.spec("draft-ietf-lake-edhoc-psk-08")
CODE, OTHER = (make_code(random.Random(seed).randbytes) for seed in (1, 2))
THING = ("192.0.2.1", 5683)


class Home(dict[str, bytes]):
    is_full = False

    def load(self, name: str) -> bytes | None:
        return self.get(name)

    def save(self, name: str, value: bytes) -> None:
        if self.is_full:
            raise StorageError("no space left")
        self[name] = value

    def delete(self, name: str) -> None:
        self.pop(name, None)

    def names(self) -> list[str]:
        return sorted(self)


class Codes:
    """A domain that holds one code."""

    def __init__(self, code=CODE):
        self.code = code
        self.introduced: list[bytes] = []

    def has_open(self) -> bool:
        return True

    async def attempt(self, kid: bytes) -> SharedCredential:
        return shared_credential(kid, key_of(self.code))

    async def settle(self, maker_identity: bytes) -> None:
        """Nothing came by a code."""

    async def introduce(self, kid: bytes, maker_identity: bytes) -> None:
        assert kid == kid_of(self.code)
        self.introduced.append(maker_identity)


class Attempt:
    """One introduction of a thing to a domain."""

    def __init__(self, codes=None):
        self.home = Home({INSTALL_CODE: CODE.secret.reveal()})
        self.birth = joining().birth
        self.introduction = Introduction(self.home, self.birth)
        self.codes = codes or Codes()
        self.domain, _ = _bootstrap(codes=self.codes)
        code = self.introduction.code()
        assert code is not None
        self.story: Any = self.introduction.story(code, b"\x05")
        self.asked: Any = next(self.story)

    def step(self, answer=None):
        """Give the story an answer, the domain's own if none is given."""
        if answer is None:
            payload = self.domain.answer(self.asked.message.payload, THING, now=0.0, at=AT)
            answer = Message(Code.CHANGED, payload=asyncio.run(payload))
        self.asked = self.story.send(answer)
        if is_error(self.asked):
            self.story.send(Message(Code.BAD_REQUEST))


def test_both_know_each_other_then_and_the_code_is_gone():
    attempt = Attempt()
    attempt.step()
    with pytest.raises(StopIteration):
        attempt.step()
    assert attempt.codes.introduced == [attempt.birth.maker_identity]
    assert attempt.introduction.domain() == _DOMAIN_KEY.public
    assert attempt.introduction.code() is None
    assert list(attempt.home.values()) == [_CCS]


@pytest.mark.requirement("R-27")
def test_a_domain_with_another_code_learns_nothing_and_the_thing_keeps_its_own():
    attempt = Attempt(Codes(OTHER))
    attempt.step()
    with pytest.raises(AuthenticationError):
        attempt.step()
    assert attempt.codes.introduced == []
    assert attempt.introduction.code() == CODE
    assert attempt.introduction.domain() is None


@pytest.mark.parametrize("code", [Code.EMPTY, Code.CONTENT, Code.BAD_REQUEST, Code.BAD_OPTION])
@pytest.mark.parametrize("steps", [0, 1])
def test_a_domain_that_does_not_go_on_leaves_the_code_as_it_was(code, steps):
    attempt = Attempt()
    for _ in range(steps):
        attempt.step()
    with pytest.raises(DecodeError, match="expected the other side to go on"):
        attempt.step(Message(code, payload=b"error"))
    assert attempt.introduction.code() == CODE


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x48" + bytes(8), bytes(60)])
@pytest.mark.parametrize("steps", [0, 1])
def test_an_answer_that_is_no_edhoc_leaves_the_code_as_it_was(payload, steps):
    attempt = Attempt()
    for _ in range(steps):
        attempt.step()
    with pytest.raises(ThingsteadError):
        attempt.step(Message(Code.CHANGED, payload=payload))
    assert (attempt.introduction.code(), attempt.introduction.domain()) == (CODE, None)


def test_a_disk_that_does_not_keep_whom_it_met_keeps_the_code():
    attempt = Attempt()
    attempt.step()
    attempt.home.is_full = True
    with pytest.raises(StorageError):
        attempt.step()
    assert attempt.introduction.code() == CODE


def test_a_thing_without_a_label_has_no_code():
    introduction = Introduction(Home(), joining().birth)
    assert introduction.code() is None
    assert introduction.domain() is None
