import pytest

from thingstead.errors import StateError
from thingstead.protocols.coap.reliability import Deduplicator, Retransmitter, TransmissionParameters


def retransmitter(jitter=0.0, max_queued=2, **parameters):
    return Retransmitter(TransmissionParameters(**parameters), jitter=lambda: jitter, max_queued=max_queued)


def drain(sender):
    sent = [datagram for datagram, _ in sender.outgoing]
    sender.outgoing.clear()
    return sent


@pytest.mark.spec("RFC 7252 4.8.2")
def test_the_derived_times_are_those_of_the_standard():
    parameters = TransmissionParameters()
    times = (parameters.max_transmit_span, parameters.max_transmit_wait)
    assert (*times, parameters.exchange_lifetime, parameters.non_lifetime) == (45, 93, 247, 145)
    assert (parameters.max_rtt, parameters.probing_rate) == (202, 1)


@pytest.mark.spec("RFC 7252 4.2")
@pytest.mark.parametrize(("jitter", "first"), [(0.0, 2.0), (0.5, 2.5)])
def test_a_message_is_repeated_with_doubling_timeouts_and_then_given_up(jitter, first):
    sender = retransmitter(jitter)
    sender.submit(b"x", "peer", 7, owner=1, now=0.0)
    times, lost = [0.0], []
    assert drain(sender) == [b"x"]
    while (deadline := sender.next_deadline()) is not None:
        lost = sender.expire(deadline)
        times += [deadline] * len(drain(sender))
    assert times == [0.0, first, 3 * first, 7 * first, 15 * first]
    assert (lost, len(sender)) == ([1], 0)


@pytest.mark.spec("RFC 7252 4.2")
@pytest.mark.parametrize(("woken", "repeated", "lost"), [(44.0, 1, []), (45.5, 0, [1]), (9000.0, 0, [1])])
def test_nothing_is_repeated_after_the_longest_time_that_all_repetitions_may_take(woken, repeated, lost):
    sender = retransmitter()
    sender.submit(b"x", "peer", 7, owner=1, now=0.0)
    drain(sender)
    assert (sender.expire(woken), len(drain(sender))) == (lost, repeated)


@pytest.mark.spec("RFC 7252 4.2")
def test_two_repetitions_are_never_closer_than_the_first_timeout_however_late_they_come():
    sender = retransmitter()
    sender.submit(b"x", "peer", 7, owner=1, now=0.0)
    drain(sender)
    sender.expire(20.0)
    assert (len(drain(sender)), sender.next_deadline()) == (1, 24.0)


@pytest.mark.spec("RFC 7252 4.8.1")
@pytest.mark.parametrize(
    "parameters", [{"ack_random_factor": 0.9}, {"ack_timeout": 0.0}, {"nstart": 0}, {"probing_rate": 0.0}]
)
def test_what_no_endpoint_may_be_set_to_is_refused(parameters):
    with pytest.raises(ValueError, match=r"4\.8\.1"):
        TransmissionParameters(**parameters)


def test_the_owner_of_a_message_is_told_to_whom_it_went_and_to_nobody_else():
    sender = retransmitter()
    sender.submit(b"x", "peer", 7, owner=1, now=0.0)
    assert [sender.owner(*name) for name in (("peer", 7), ("peer", 8), ("other", 7))] == [1, None, None]


def test_an_acknowledged_message_is_not_repeated():
    sender = retransmitter()
    sender.submit(b"x", "peer", 7, owner=1, now=0.0)
    assert sender.acknowledge("peer", 7, 1.0) == 1
    assert sender.next_deadline() is None
    assert sender.expire(100.0) == []


@pytest.mark.parametrize(("source", "mid"), [("other", 7), ("peer", 8)])
def test_an_acknowledgement_of_another_peer_or_message_changes_nothing(source, mid):
    sender = retransmitter()
    sender.submit(b"x", "peer", 7, owner=1, now=0.0)
    assert sender.acknowledge(source, mid, 1.0) is None
    assert sender.next_deadline() == 2.0


@pytest.mark.spec("RFC 7252 4.7")
def test_a_second_message_to_a_peer_waits_for_the_first():
    sender = retransmitter()
    sender.submit(b"x", "peer", 7, owner=1, now=0.0)
    sender.submit(b"y", "peer", 8, owner=2, now=0.0)
    sender.submit(b"z", "other", 8, owner=3, now=0.0)
    assert drain(sender) == [b"x", b"z"]
    sender.acknowledge("peer", 7, 1.0)
    assert drain(sender) == [b"y"]


def test_the_queue_behind_nstart_is_bounded():
    sender = retransmitter(max_queued=1)
    sender.submit(b"x", "peer", 7, owner=1, now=0.0)
    sender.submit(b"y", "peer", 8, owner=2, now=0.0)
    with pytest.raises(StateError):
        sender.submit(b"z", "peer", 9, owner=3, now=0.0)
    assert len(sender) == 2


def test_one_peer_may_be_given_less_of_the_queue_than_all():
    sender = retransmitter(max_queued=3)
    for mid in range(2):
        sender.submit(b"x", "peer", mid, owner=mid, now=0.0, room=1)
    with pytest.raises(StateError):
        sender.submit(b"x", "peer", 2, owner=2, now=0.0, room=1)
    sender.submit(b"x", "peer", 3, owner=3, now=0.0)
    assert len(sender) == 3


def test_a_message_given_up_lets_the_next_one_go():
    sender = retransmitter(max_retransmit=0)
    sender.submit(b"x", "peer", 7, owner=1, now=0.0)
    sender.submit(b"y", "peer", 8, owner=2, now=0.0)
    drain(sender)
    assert sender.expire(2.0) == [1]
    assert drain(sender) == [b"y"]


def test_a_withdrawn_message_is_neither_sent_nor_repeated():
    sender = retransmitter()
    sender.submit(b"x", "peer", 7, owner=1, now=0.0)
    sender.submit(b"y", "peer", 8, owner=2, now=0.0)
    sender.withdraw("peer", 8, 0.0)
    sender.withdraw("peer", 7, 0.0)
    sender.withdraw("peer", 9, 0.0)
    assert drain(sender) == [b"x"]
    assert len(sender) == 0


def test_repetitions_can_be_fewer():
    sender = retransmitter()
    sender.submit(b"x", "peer", 7, owner=1, now=0.0, repetitions=1)
    assert (sender.expire(2.0), sender.expire(6.0)) == ([], [1])


@pytest.mark.spec("RFC 7252 4.5")
def test_a_duplicate_finds_the_stored_reply():
    seen = Deduplicator(247.0, max_entries=10, max_bytes=1000)
    assert seen.reply_to(("peer", b"x")) is None
    seen.remember(("peer", b"x"), 0.0)
    assert seen.reply_to(("peer", b"x")) == b""
    seen.store(("peer", b"x"), b"reply")
    assert seen.reply_to(("peer", b"x")) == b"reply"


def test_a_message_that_is_accepted_again_is_held_once():
    seen = Deduplicator(247.0, max_entries=10, max_bytes=1000)
    seen.remember(("peer", b"x"), 0.0)
    seen.remember(("peer", b"x"), 1.0)
    assert (len(seen), seen.held) == (1, 1)


@pytest.mark.parametrize(("peer", "datagram"), [("other", b"x"), ("peer", b"y")])
def test_neither_another_peer_nor_other_bytes_are_a_duplicate(peer, datagram):
    seen = Deduplicator(247.0, max_entries=10, max_bytes=1000)
    seen.remember(("peer", b"x"), 0.0)
    assert seen.reply_to((peer, datagram)) is None


def test_an_entry_ends_with_its_lifetime():
    seen = Deduplicator(247.0, max_entries=10, max_bytes=1000)
    seen.remember(("peer", b"x"), 0.0)
    seen.remember(("peer", b"y"), 248.0)
    assert seen.reply_to(("peer", b"x")) is None
    seen.store(("peer", b"x"), b"late")
    assert (len(seen), seen.held) == (1, 1)


@pytest.mark.requirement("R-36")
def test_entries_and_bytes_are_bounded():
    seen = Deduplicator(247.0, max_entries=3, max_bytes=100)
    for number in range(10):
        seen.remember(("peer", bytes([number])), 0.0)
    assert len(seen) == 3
    seen.store(("peer", b"\x09"), bytes(200))
    seen.remember(("peer", b"new"), 0.0)
    assert (len(seen), seen.held) == (1, 3)


@pytest.mark.requirement("R-37")
def test_a_recorded_request_does_not_draw_its_reply_forever():
    seen = Deduplicator(247.0, max_entries=10, max_bytes=1000, max_replays=2)
    seen.remember(("peer", b"x"), 0.0)
    seen.store(("peer", b"x"), b"reply")
    assert [seen.reply_to(("peer", b"x")) for _ in range(4)] == [b"reply", b"reply", b"", b""]


def test_a_peer_that_is_forgotten_gets_no_stored_reply():
    seen = Deduplicator(247.0, max_entries=10, max_bytes=1000)
    seen.remember(("peer", b"x"), 0.0)
    seen.store(("peer", b"x"), b"reply")
    seen.remember(("other", b"x"), 0.0)
    seen.forget("peer")
    assert (seen.reply_to(("peer", b"x")), seen.reply_to(("other", b"x")), seen.held) == (None, b"", 1)
    seen.remember(("other", b"y"), 300.0)
    assert (len(seen), seen.held) == (1, 1)


@pytest.mark.requirement("R-36")
def test_two_beside_each_other_find_each_others_messages_and_bound_their_own():
    first = Deduplicator(247.0, max_entries=2, max_bytes=1000)
    second = Deduplicator(247.0, max_entries=2, max_bytes=1000, beside=first)
    first.remember(("peer", b"x"), 0.0)
    for number in range(10):
        second.remember(("stranger", bytes([number])), 0.0)
    assert (first.reply_to(("stranger", b"\x09")), second.reply_to(("peer", b"x"))) == (b"", b"")
    assert (len(first), len(second), first.held, second.held) == (1, 2, 1, 2)


def test_a_message_can_pass_from_the_bounds_of_one_to_those_of_the_other():
    first = Deduplicator(247.0, max_entries=2, max_bytes=1000)
    second = Deduplicator(247.0, max_entries=2, max_bytes=1000, beside=first)
    second.remember(("peer", b"x"), 0.0)
    second.release(("peer", b"x"))
    second.release(("peer", b"y"))
    first.remember(("peer", b"x"), 0.0)
    first.store(("peer", b"x"), b"reply")
    assert (second.reply_to(("peer", b"x")), first.held, second.held) == (b"reply", 6, 0)


def test_a_datagram_that_comes_again_after_it_was_forgotten_is_held_for_its_whole_lifetime():
    seen = Deduplicator(247.0, max_entries=10, max_bytes=1000)
    seen.remember(("peer", b"x"), 0.0)
    seen.forget("peer")
    seen.remember(("peer", b"x"), 100.0)
    seen.remember(("peer", b"y"), 300.0)
    assert seen.reply_to(("peer", b"x")) == b""


@pytest.mark.spec("RFC 7252 4.7")
def test_a_request_that_is_not_confirmable_holds_back_the_next_until_it_is_answered():
    sender = retransmitter()
    sender.submit(b"first", "peer", 1, owner=1, now=0.0, wait=50.0)
    sender.submit(b"second", "peer", 2, owner=2, now=0.0, wait=50.0)
    sender.submit(b"elsewhere", "other", 3, owner=3, now=0.0, wait=50.0)
    assert drain(sender) == [b"first", b"elsewhere"]
    sender.withdraw("peer", 1, 1.0)
    assert drain(sender) == []
    sender.acknowledge("peer", 1, 2.0)
    assert drain(sender) == [b"second"]


@pytest.mark.spec("RFC 7252 4.7")
def test_one_that_is_not_answered_is_sent_once_and_holds_back_as_long_as_its_bytes_take():
    sender = retransmitter()
    sender.submit(b"first", "peer", 1, owner=1, now=0.0, wait=50.0)
    sender.submit(b"second", "peer", 2, owner=2, now=0.0, wait=50.0)
    assert sender.expire(49.9) == []
    assert drain(sender) == [b"first"]
    assert sender.expire(50.0) == []
    assert drain(sender) == [b"second"]
    assert sender.expire(1000.0) == []
    assert (drain(sender), len(sender)) == ([], 0)
