"""Invariant: of a protected message, every change to option or ciphertext is refused with an error of ours,
moves no window, spends no nonce, and leaves the untouched message acceptable.
"""

import contextlib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from thingstead.errors import ReplayError, ThingsteadError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.option import OscoreOption, decode_option, encode_option
from thingstead.protocols.oscore.protection import (
    FreshnessError,
    protect_request,
    protect_response,
    unprotect_request,
    unprotect_response,
)
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

PARTIAL_IVS = st.integers(0, 2**40 - 1).map(lambda n: n.to_bytes((n.bit_length() + 7) // 8 or 1, "big"))
OPTIONS = st.lists(st.tuples(st.sampled_from([1, 4, 11, 12, 15, 17, 65001]), st.binary(max_size=2)), max_size=4)
REQUESTS = st.builds(
    Message,
    code=st.integers(1, 31),
    token=st.binary(max_size=8),
    options=OPTIONS.map(lambda options: sorted(options, key=lambda option: option[0])),
    payload=st.binary(max_size=40),
)


def exchange(aead_id=10):
    client, server = (
        SecurityContext.derive(
            Secret(bytes(16)), master_salt=b"", sender_id=one, recipient_id=other, id_context=b"c", aead_id=aead_id
        )
        for one, other in ((b"c", b"s"), (b"s", b"c"))
    )
    return client, server


def edited(message, option, payload):
    outer = message.with_options((OptionNumber.OSCORE, option), without=frozenset([OptionNumber.OSCORE]))
    return Message(outer.code, outer.type, outer.mid, outer.token, outer.options, payload)


@given(message=REQUESTS, aead_id=st.sampled_from([1, 3, 10, 24, 30]))
@settings(max_examples=50, deadline=None)
def test_what_was_protected_comes_out_whole(message, aead_id):
    client, server = exchange(aead_id)
    assert unprotect_request(protect_request(message, context=client)[0], context=server)[0] == message


@pytest.mark.requirement("R-15")
@given(data=st.data(), message=REQUESTS)
@settings(max_examples=100, deadline=None)
def test_a_changed_request_is_refused_and_changes_nothing(data, message):
    client, server = exchange()
    outer, _ = protect_request(message, context=client)
    genuine = outer.option(OptionNumber.OSCORE)
    option, payload = data.draw(mutations(genuine)), data.draw(mutations(outer.payload))
    assume(payload != outer.payload or not _equal(option, genuine))
    with pytest.raises(ThingsteadError):
        unprotect_request(edited(outer, option, payload), context=server)
    server.recipient.window.check(0)
    assert unprotect_request(outer, context=server)[0] == message


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_changed_response_is_refused_and_changes_nothing(data):
    client, server = exchange()
    outer, client_binding = protect_request(Message(Code.GET), context=client)
    _, binding = unprotect_request(outer, context=server)
    greeting = Message(Code.CONTENT, payload=b"Hello World!")
    response = protect_response(greeting, binding=binding)
    option, payload = data.draw(mutations(b"")), data.draw(mutations(response.payload))
    assume(payload != response.payload or not _equal(option, b""))
    with pytest.raises(ThingsteadError):
        unprotect_response(edited(response, option, payload), binding=client_binding)
    assert unprotect_response(response, binding=client_binding) == greeting


@given(st.binary(max_size=20))
def test_an_option_that_decodes_encodes_to_the_same_bytes(value):
    with contextlib.suppress(ThingsteadError):
        assert encode_option(decode_option(value)) == value


@given(st.builds(OscoreOption, PARTIAL_IVS, st.binary(max_size=7), st.none() | st.binary(max_size=255), st.booleans()))
def test_every_option_that_encodes_decodes(option):
    assert decode_option(encode_option(option)) == option


@pytest.mark.requirement("R-15")
@given(st.lists(st.integers(0, 80), max_size=60), st.integers(1, 40))
def test_no_number_is_accepted_twice_and_none_to_the_right_is_refused(numbers, size):
    window = ReplayWindow(size)
    accepted: set[int] = set()
    for number in numbers:
        try:
            window.accept(number)
        except ReplayError:
            assert number in accepted or number <= max(accepted) - size
        else:
            assert number not in accepted
            accepted.add(number)


class Life:
    """One side of an association through its crashes: what is reserved stays, the window and the numbers go."""

    STRIDE = 4

    def __init__(self, sender_id, recipient_id, used):
        self.ids = (sender_id, recipient_id)
        self.reserved = 0
        self.used = used
        self.begin(is_new=True)

    def begin(self, *, is_new=False):
        numbers, window = SequenceNumbers(self.reserved, reserved=self.reserved), ReplayWindow(valid=is_new)
        self.context = SecurityContext.derive(
            Secret(bytes(16)), sender_id=self.ids[0], recipient_id=self.ids[1], sequence=numbers, window=window
        )

    def use(self, party, partial_iv):
        """Encrypt under the nonce that `party`'s number makes: our own for a request, the peer's for a response."""
        assert (self.ids[0], party, partial_iv) not in self.used
        self.used.add((self.ids[0], party, partial_iv))

    def protect(self):
        sequence = self.context.sender.sequence
        if sequence.next == sequence.reserved:
            self.reserved += self.STRIDE
            sequence.reserve(self.reserved)
        outer, binding = protect_request(Message(Code.GET), context=self.context)
        self.use(self.ids[0], binding.partial_iv)
        return outer

    def take(self, outer, accepted, *, shows_freshness):
        """Answer a request as a server does, and note that it was served."""
        try:
            _, binding = unprotect_request(outer, context=self.context)
        except FreshnessError as error:
            if not shows_freshness:
                self.protect()  # the challenge takes a number, as this does
                return
            error.recover()
            binding = error.binding
        except ReplayError:
            return
        assert binding.partial_iv not in accepted
        accepted.add(binding.partial_iv)
        if binding.take_nonce() is not None:
            self.use(self.ids[1], binding.partial_iv)


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8613 B.1")
@given(
    st.lists(
        st.sampled_from(["ask", "deliver", "deliver", "replay", "client dies", "server dies"]) | st.integers(0, 99),
        max_size=60,
    )
)
@settings(max_examples=100, deadline=None)
def test_no_crash_makes_a_nonce_or_a_request_count_twice(story):
    used: set[tuple[bytes, bytes, bytes]] = set()
    accepted: set[bytes] = set()
    client, server = Life(b"c", b"s", used), Life(b"s", b"c", used)
    sent: list[Message] = []
    newest = 0
    for step in story:
        if step == "ask":
            sent.append(client.protect())
        elif step == "client dies":
            client.begin()
        elif step == "server dies":
            server.begin()
            newest = len(sent)
        elif sent:
            which = len(sent) - 1 if step == "deliver" else step % len(sent) if isinstance(step, int) else 0
            # Only what was sent after the server's start can bring back a value that it gave since.
            server.take(sent[which], accepted, shows_freshness=which >= newest)


def mutations(value):
    """`value` itself, with a byte changed, cut, grown, or anything."""
    changed = st.builds(
        lambda at, flip: bytes(b ^ flip * (i == at) for i, b in enumerate(value)),
        st.integers(0, max(len(value) - 1, 0)),
        st.integers(1, 255),
    )
    cut = st.integers(0, len(value)).map(lambda end: value[:end])
    grown = st.binary(min_size=1, max_size=9).map(lambda more: value + more)
    return st.one_of(st.just(value), changed, cut, grown, st.binary(max_size=30))


def _equal(option, genuine):
    """Whether two values say the same to the endpoint: naming the context's own kid context or kid changes nothing."""
    try:
        this, other = decode_option(option), decode_option(genuine)
    except ThingsteadError:
        return False
    same_kid = this.kid == other.kid or {this.kid, other.kid} == {None, b"s"}
    return same_kid and this.partial_iv == other.partial_iv and {this.kid_context, other.kid_context} <= {None, b"c"}
