import pytest

from thingstead.agent.doubt import Doubt
from thingstead.errors import AuthenticationError, ReplayError, SecurityError, TransportError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code

pytestmark = pytest.mark.spec("RFC 8613 8.2")
UNPROTECTED = SecurityError("refused in clear", reason="refused")


def doubtful(times):
    doubt = Doubt()
    return doubt, [doubt.suspect(UNPROTECTED) for _ in range(times)]


@pytest.mark.parametrize(("times", "enough"), [(0, False), (1, False), (2, False), (3, True), (4, True)])
def test_a_refusal_that_anybody_may_have_sent_counts_and_few_are_not_enough(times, enough):
    assert doubtful(times)[0].is_enough is enough


def test_it_is_said_once_that_it_is_enough():
    assert doubtful(5)[1] == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (AuthenticationError("no tag"), True),
        (ReplayError("again"), True),
        (TransportError("silence"), False),
        (SecurityError("its association ended", reason="ended"), False),
    ],
)
def test_silence_and_our_own_ends_are_no_doubt(error, counts):
    doubt, _ = doubtful(2)
    assert doubt.suspect(error) is doubt.is_enough is counts


@pytest.mark.spec("RFC 9200 5.10.2")
def test_the_domain_s_own_4_01_is_enough_and_any_other_word_of_it_ends_all_doubt():
    doubt, _ = doubtful(2)
    assert not doubt.hear(Message(Code.CONTENT))
    assert doubtful(0)[0].hear(Message(Code.UNAUTHORIZED))
    assert not doubt.suspect(UNPROTECTED)
    assert not doubt.is_enough


def test_worn_keys_are_reason_enough_until_it_has_joined():
    doubt = Doubt()
    doubt.wear()
    assert doubt.is_enough
    doubt.hear(Message(Code.CONTENT))
    assert doubt.is_enough
    doubt.settle()
    assert not doubt.is_enough
