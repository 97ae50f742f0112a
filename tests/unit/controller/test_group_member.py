"""The domain as a member: under its own key, in the newest epoch only, and on reserved numbers only."""

import pytest

from tests.unit.endpoint import ladder
from tests.unit.protocols.ace.test_groupcomm import KEY, OWN, keys
from thingstead.controller.group_member import DomainMember, group_id, group_of
from thingstead.crypto.key import KeyType, generate
from thingstead.endpoint.event import AssociationId, SequenceNeeded
from thingstead.errors import StateError, ThingsteadError
from thingstead.identifier import thing_id
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code

GROUP = ("239.83.0.1", 5684)


def member(key=KEY):
    endpoint = ladder.endpoint(1)
    return DomainMember(endpoint, key), endpoint


def command(endpoint):
    endpoint.send_request(request(Code.PUT, "/light"), GROUP, 0.0, group=group_id("lamps"), confirmable=False)
    return endpoint.datagrams_to_send(0.0)


def test_keys_that_name_another_as_us_are_refused_and_nothing_becomes_live():
    domain, endpoint = member(generate(KeyType.P256))
    with pytest.raises(ThingsteadError):
        domain.install_group(keys(), reserved=0, fresh=True)
    assert not domain.accepts_member("lamps", OWN)
    with pytest.raises(StateError):
        command(endpoint)


def test_a_group_that_we_are_not_in_accepts_nobody():
    domain, _ = member()
    assert not domain.accepts_member("lamps", OWN)
    domain.install_group(keys(), reserved=0, fresh=True)
    assert not domain.accepts_member("doors", OWN)


def test_only_members_of_the_newest_epoch_are_accepted():
    domain, _ = member()
    (ours, theirs) = keys().members
    domain.install_group(keys(), reserved=0, fresh=True)
    assert domain.accepts_member("lamps", ours.credential)
    assert not domain.accepts_member("lamps", theirs.credential + b"\0")
    left = keys(num=8, gid=b"pref\x00\x00\x00\x08", members=(theirs,))
    domain.install_group(left, reserved=0, fresh=True)
    assert not domain.accepts_member("lamps", ours.credential)


@pytest.mark.spec("RFC 8613 B.1.1")
def test_nothing_is_sent_before_its_number_is_reserved():
    domain, endpoint = member()
    domain.install_group(keys(), reserved=512, fresh=False)
    assert command(endpoint) == []
    (needed,) = [event for event in ladder.events(endpoint) if isinstance(event, SequenceNeeded)]
    assert (group_of(needed.association), needed.upto > 512) == ("lamps", True)
    domain.group_sequence_reserved("doors", needed.upto)
    assert endpoint.datagrams_to_send(0.0) == []
    domain.group_sequence_reserved("lamps", needed.upto)
    assert len(endpoint.datagrams_to_send(0.0)) == 1


def test_no_thing_can_be_taken_for_a_group():
    assert group_of(AssociationId(thing_id("thing-abcdefghijklmnop"))) is None
    assert group_of(group_id("lamps")) == "lamps"
