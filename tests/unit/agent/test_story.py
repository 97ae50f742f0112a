import pytest

from thingstead.agent.story import Request, Stories, Wait
from thingstead.endpoint.event import ExchangeId
from thingstead.errors import DecodeError, StateError, TransportError
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code

_ASK = Request(request(Code.GET, "/a"), timeout=5.0)
_ANSWER = Message(Code.CONTENT)


class _Net:
    """Sends nothing; remembers what was asked for and what was cancelled."""

    def __init__(self):
        self.sent = []
        self.cancelled = []
        self.error = None

    def send(self, wanted, now):
        if self.error is not None:
            raise self.error
        self.sent.append((wanted, now))
        return ExchangeId(len(self.sent))

    def cancel(self, exchange, now):
        self.cancelled.append(exchange)


@pytest.fixture
def net():
    return _Net()


@pytest.fixture
def stories(net):
    return Stories(net.send, net.cancel)


def _told(effects, told):
    for effect in effects:
        try:
            told.append((yield effect))
        except (TransportError, StateError, DecodeError) as error:
            told.append(error.reason)


def test_a_story_gets_its_response_and_nobody_else_s(stories, net):
    told: list[object] = []
    stories.start("one", _told([_ASK], told), 0.0)
    stories.on_response(ExchangeId(99), _ANSWER, 1.0)
    assert told == []
    stories.on_response(ExchangeId(1), _ANSWER, 1.0)
    stories.on_response(ExchangeId(1), _ANSWER, 1.0)
    assert told == [_ANSWER]


def test_no_response_in_time_is_an_error_in_the_story_and_cancels_the_exchange(stories, net):
    told: list[object] = []
    stories.start("one", _told([_ASK], told), 0.0)
    assert stories.next_deadline() == 5.0
    stories.run(4.9)
    assert told == []
    stories.run(5.0)
    assert (told, net.cancelled) == (["timeout"], [1])


def test_an_exchange_that_fails_fails_in_its_story(stories):
    told: list[object] = []
    stories.start("one", _told([_ASK], told), 0.0)
    stories.on_failure(ExchangeId(1), DecodeError("no"), 1.0)
    stories.on_failure(ExchangeId(1), DecodeError("no"), 1.0)
    assert told == ["malformed"]


def test_what_cannot_be_sent_is_told_to_the_story_at_once(stories, net):
    told: list[object] = []
    net.error = StateError("no association", reason="ended")
    stories.start("one", _told([_ASK, Wait(1.0)], told), 0.0)
    assert told == ["ended"]
    assert stories.next_deadline() == 1.0


def test_a_wait_ends_in_time_or_when_its_name_is_called(stories):
    told: list[object] = []
    stories.start("one", _told([Wait(10.0, "bell"), Wait(10.0)], told), 0.0)
    stories.wake("another bell", 1.0)
    assert told == []
    stories.wake("bell", 1.0)
    assert told == [None]
    stories.run(10.9)
    assert told == [None]
    stories.run(11.0)
    assert told == [None, None]
    assert stories.next_deadline() is None


def test_one_story_that_fails_ends_alone(stories):
    def fails():
        yield Wait(1.0)
        raise DecodeError("no")

    told: list[object] = []
    stories.start("fails", fails(), 0.0)
    stories.start("goes on", _told([Wait(2.0)], told), 0.0)
    stories.run(1.0)
    stories.run(2.0)
    assert told == [None]


def test_stopping_all_runs_what_stories_do_last_and_nothing_after(stories, net):
    ended = []

    def careful(name):
        try:
            yield _ASK
        finally:
            ended.append(name)

    stories.start("one", careful("one"), 0.0)
    stories.start("two", careful("two"), 0.0)
    stories.stop_all(1.0)
    assert (ended, net.cancelled) == (["one", "two"], [1, 2])
    stories.on_response(ExchangeId(1), _ANSWER, 2.0)
    stories.run(100.0)
    assert stories.next_deadline() is None


@pytest.mark.spec("RFC 7641 3.2")
class TestObserving:
    """A story asks once, is resumed by the first response, and hears the rest by its callback."""

    def _begin(self, stories):
        seen: list[bytes] = []
        waits: list[int] = []

        def story():
            while True:
                wanted = Request(request(Code.GET, "/a"), on_notification=lambda message: seen.append(message.payload))
                yield wanted
                waits.append(1)
                yield Wait(60.0, "again")

        stories.start("watch", story(), 0.0)
        return seen, waits

    def test_later_responses_go_to_the_callback_and_the_first_to_the_story(self, net, stories):
        seen, waits = self._begin(stories)
        stories.on_response(ExchangeId(1), Message(Code.CONTENT, payload=b"1"), 1.0)
        stories.on_response(ExchangeId(1), Message(Code.CONTENT, payload=b"2"), 2.0)
        assert (seen, waits) == ([b"2"], [1])
        assert net.cancelled == []

    def test_asking_anew_ends_the_observation_before(self, net, stories):
        seen, _ = self._begin(stories)
        stories.on_response(ExchangeId(1), _ANSWER, 1.0)
        stories.run(62.0)
        assert net.cancelled == [1]
        stories.on_response(ExchangeId(1), _ANSWER, 63.0)
        assert seen == []

    def test_when_the_observation_fails_the_story_goes_on_at_once(self, net, stories):
        self._begin(stories)
        stories.on_response(ExchangeId(1), _ANSWER, 1.0)
        stories.on_failure(ExchangeId(1), StateError("ended"), 2.0)
        assert [at for _, at in net.sent] == [0.0, 2.0]

    def test_stopping_everything_ends_it(self, net, stories):
        self._begin(stories)
        stories.on_response(ExchangeId(1), _ANSWER, 1.0)
        stories.stop_all(2.0)
        assert net.cancelled == [1]
