"""The table of associations and groups: who a request is from, where they are, and how far their numbers reach."""

from collections import deque
from dataclasses import replace

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, THING, context
from tests.unit.protocols.group_oscore.group import context as member
from thingstead.endpoint.association import Association, Associations, Group, SequenceGate
from thingstead.endpoint.event import AssociationId, Event, GroupId, RenewalNeeded, SequenceNeeded
from thingstead.errors import AuthenticationError, ReplayError, StateError, UntrustedError
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.option import OscoreOption
from thingstead.protocols.oscore.protection import protect_request, read_option
from thingstead.secret import Secret

GET = request(Code.GET, "/a")
STRANGER = ("203.0.113.9", 1)
ONE, TWO, THREE = (AssociationId(name) for name in ("one", "two", "three"))


def gate(stride=4):
    events: deque[Event] = deque()
    return SequenceGate(events, stride=stride), events


def table(max_awake=8):
    return Associations(gate()[0], max_awake=max_awake)


def ours(secret=0, **arguments):
    return SecurityContext.derive(Secret(bytes([secret]) * 16), sender_id=b"\x02", recipient_id=b"\x01", **arguments)


def theirs(secret=0, **arguments):
    return SecurityContext.derive(Secret(bytes([secret]) * 16), sender_id=b"\x01", recipient_id=b"\x02", **arguments)


def ask(associations, client, *, source=THING, now=0.0, with_kid_context=False, tag=None):
    message, _ = protect_request(GET, context=client, with_kid_context=with_kid_context)
    if tag is not None:
        message = replace(message, payload=message.payload[:-8] + tag)
    return associations.unprotect(message, read_option(message), source, now)[2]


def test_who_is_installed_is_found_and_who_is_ended_is_not():
    associations = table()
    associations.install(Association(ONE, ours(), address=THING))
    found = associations.find(ONE)
    assert found is not None
    assert (ask(associations, theirs()), associations.addresses()) == (found, [THING])
    for _ in range(2):
        associations.end(ONE)
    assert (associations.find(ONE), associations.addresses()) == (None, [])
    with pytest.raises(UntrustedError):
        ask(associations, theirs())


@pytest.mark.spec("RFC 8613 8.2")
def test_a_later_installation_under_one_name_takes_the_place_of_the_first():
    associations = table()
    for secret in (1, 2):
        associations.install(Association(ONE, ours(secret)))
    with pytest.raises(AuthenticationError):
        ask(associations, theirs(1))
    assert ask(associations, theirs(2)).epoch == 2


@pytest.mark.spec("RFC 8613 5")
def test_of_one_kid_the_kid_context_decides_and_without_it_the_keys():
    associations = table()
    for name, secret in ((ONE, 1), (TWO, 2), (THREE, 3)):
        associations.install(Association(name, ours(secret, id_context=name.encode())))
    assert ask(associations, theirs(2, id_context=b"two"), with_kid_context=True).id == TWO
    assert ask(associations, theirs(3, id_context=b"three")).id == THREE
    with pytest.raises(UntrustedError) as refused:
        ask(associations, theirs(2, id_context=b"four"), with_kid_context=True)
    assert refused.value.reason == "context"
    associations.end(TWO)
    assert ask(associations, theirs(1, id_context=b"one")).id == ONE


@pytest.mark.spec("RFC 8613 7.4")
@pytest.mark.requirement("R-15")
def test_a_number_that_another_peer_of_the_same_kid_has_used_is_no_replay_and_one_of_its_own_is():
    associations = table()
    clients = {}
    for name, secret in ((ONE, 1), (TWO, 2)):
        associations.install(Association(name, ours(secret)))
        clients[name] = theirs(secret)
    for _ in range(3):
        assert [ask(associations, clients[name]).id for name in (ONE, TWO)] == [ONE, TWO]
    for secret in (1, 2):
        with pytest.raises((ReplayError, AuthenticationError)):
            ask(associations, theirs(secret))


@pytest.mark.requirement("R-36")
def test_forgeries_from_elsewhere_are_tried_ever_less_often_and_the_peer_at_its_place_always():
    associations = table()
    associations.install(Association(ONE, ours(), address=THING))
    client = theirs()
    for _ in range(20):
        with pytest.raises((AuthenticationError, UntrustedError)):
            ask(associations, client, source=STRANGER, tag=bytes(8))
    found = associations.find(ONE)
    assert found is not None
    assert found.context.recipient.failures <= 3
    assert ask(associations, client).id == ONE
    with pytest.raises(UntrustedError) as refused:
        ask(associations, client, source=STRANGER)
    assert refused.value.reason == "tries"
    assert ask(associations, client, source=STRANGER, now=10.0).id == ONE


def test_an_address_is_known_as_long_as_one_peer_is_there():
    associations = table()
    associations.install(Association(ONE, ours(1), address=THING))
    associations.install(Association(TWO, context(), address=THING))
    associations.end(ONE)
    assert associations.is_known(THING)
    associations.locate(b"\x02", CONTROLLER)
    assert (associations.is_known(THING), associations.is_known(CONTROLLER)) == (False, True)
    assert associations.is_at(b"\x02", CONTROLLER)
    assert not associations.is_at(b"\x02", THING)


@pytest.mark.requirement("R-64")
def test_a_peer_is_where_its_newest_request_came_from():
    associations = table()
    associations.install(Association(ONE, ours(), address=THING))
    client = theirs()
    messages = [protect_request(GET, context=client)[0] for _ in range(2)]
    bindings = [associations.unprotect(this, read_option(this), STRANGER, 0.0)[1] for this in messages]
    found = associations.owner(bindings[0])
    assert not associations.follow(found, bindings[0], STRANGER)
    assert found.address == THING
    assert associations.follow(found, bindings[1], STRANGER)
    assert found.address == STRANGER


@pytest.mark.spec("RFC 10021 6.2")
def test_a_group_is_found_by_its_gid_and_its_last_epoch_alone():
    associations = table()
    names = (b"g1", b"g2")
    for gid in names:
        associations.install_group(Group(GroupId("lamps"), member("hall", gid=gid)))
    assert associations.group_of(OscoreOption(kid_context=names[0])) is None
    found = associations.group_of(OscoreOption(kid_context=names[1], group=True))
    assert found is associations.find_group(GroupId("lamps")) is not None
    with pytest.raises(UntrustedError):
        associations.group_of(OscoreOption(kid_context=names[0], group=True))
    associations.end_group(GroupId("lamps"))
    assert associations.group_of(OscoreOption(kid_context=names[1])) is None


@pytest.mark.spec("RFC 8613 B.1.1")
@pytest.mark.requirement("R-24")
def test_no_number_is_taken_that_is_not_durable_and_more_are_asked_for_in_time():
    this, events = gate(stride=4)
    sequence = SequenceNumbers(0, reserved=0)
    assert not this.is_open(ONE, sequence)
    assert not this.is_open(ONE, sequence)
    assert list(events) == [SequenceNeeded(ONE, 4)]
    sequence.reserve(4)
    taken = []
    while this.is_open(ONE, sequence):
        taken.append(sequence.take())
    assert taken == [0, 1, 2, 3]
    assert list(events)[1:] == [SequenceNeeded(ONE, 8)]


@pytest.mark.spec("RFC 8613 7.2.1")
@pytest.mark.requirement("R-25")
def test_at_the_end_of_the_numbers_the_gate_closes_and_renewal_was_asked_for_once():
    this, events = gate(stride=4)
    sequence = SequenceNumbers(0)
    sequence.bound(16)
    for _ in range(16):
        assert this.is_open(ONE, sequence)
        sequence.take()
    with pytest.raises(StateError) as refused:
        this.is_open(ONE, sequence)
    assert (refused.value.reason, list(events)) == ("sequence", [RenewalNeeded(ONE)])


def test_one_that_is_forgotten_asks_anew():
    this, events = gate(stride=4)
    for _ in range(2):
        this.is_open(ONE, SequenceNumbers(0, reserved=0))
        this.forget(ONE)
    assert list(events) == [SequenceNeeded(ONE, 4)] * 2
