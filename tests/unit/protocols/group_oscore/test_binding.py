import pytest

from tests.unit.protocols.group_oscore.group import DONE, ON, context, group, identity, option_of, with_option
from thingstead.errors import DecodeError, ReplayError, UntrustedError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.group_oscore.protection import (
    protect_group_request,
    protect_group_response,
    unprotect_group_request,
    unprotect_group_response,
)
from thingstead.protocols.oscore.option import OscoreOption

OBSERVE = OptionNumber.OBSERVE
WATCH = Message(Code.GET, token=b"t", options=[(OBSERVE, b"")])
LIT = Message(Code.CONTENT, token=b"t", options=[(OBSERVE, b"\x05")], payload=b"lit")


@pytest.mark.spec("RFC 10021 5.3.1")
@pytest.mark.requirement("R-15")
def test_replayed_and_older_responses_are_refused_server_by_server():
    switch, hall, stairs = group()
    message, switch_binding = protect_group_request(ON, context=switch)
    answers = {}
    for lamp in (hall, stairs):
        _, binding = unprotect_group_request(message, context=lamp)
        answers[lamp] = [protect_group_response(DONE, binding=binding) for _ in range(3)]
    for lamp in (hall, stairs):
        first, second, third = answers[lamp]
        unprotect_group_response(second, binding=switch_binding)
        for stale in (first, second):
            with pytest.raises(ReplayError):
                unprotect_group_response(stale, binding=switch_binding)
        unprotect_group_response(third, binding=switch_binding)


@pytest.mark.spec("RFC 10021 5.3.1")
def test_a_pairwise_request_has_one_response():
    switch, hall, _ = group()
    message, switch_binding = protect_group_request(ON, context=switch, to=b"ha")
    _, binding = unprotect_group_request(message, context=hall)
    first, second = (protect_group_response(DONE, binding=binding) for _ in range(2))
    unprotect_group_response(first, binding=switch_binding)
    with pytest.raises(ReplayError):
        unprotect_group_response(second, binding=switch_binding)


@pytest.mark.spec("RFC 10021 6.4")
def test_the_answer_of_another_server_than_was_asked_is_refused():
    switch, hall, _ = group()
    message, switch_binding = protect_group_request(ON, context=switch, to=b"ha")
    _, binding = unprotect_group_request(message, context=hall)
    response = protect_group_response(DONE, binding=binding)
    option = option_of(response)
    option.kid = b"st"
    with pytest.raises(UntrustedError, match="another server"):
        unprotect_group_response(with_option(response, option), binding=switch_binding)


@pytest.mark.spec("RFC 10021 6.1")
def test_an_observation_of_a_group_outlives_a_rekey():
    switch, hall, _ = group()
    message, switch_binding = protect_group_request(WATCH, context=switch)
    request, binding = unprotect_group_request(message, context=hall)
    assert (message.code, request.option(OBSERVE)) == (Code.FETCH, b"")
    before = protect_group_response(LIT, binding=binding)
    assert unprotect_group_response(before, binding=switch_binding)[0].payload == b"lit"
    newer = {name: context(name, gid=b"g2", secret=bytes(15) + b"\1") for name in ("switch", "hall")}
    after = protect_group_response(LIT, binding=binding, context=newer["hall"])
    assert option_of(after) == OscoreOption(b"\0", b"ha", b"g2", group=True)
    with pytest.raises(UntrustedError):
        unprotect_group_response(after, binding=switch_binding)
    assert unprotect_group_response(after, binding=switch_binding, context=newer["switch"])[0].payload == b"lit"
    for stale, epoch in ((after, newer["switch"]), (before, switch)):
        with pytest.raises(ReplayError):
            unprotect_group_response(stale, binding=switch_binding, context=epoch)


@pytest.mark.spec("RFC 10021 6.3")
def test_the_first_response_in_a_newer_epoch_does_not_reuse_the_request_nonce():
    switch, hall, _ = group()
    message, _ = protect_group_request(ON, context=switch)
    _, binding = unprotect_group_request(message, context=hall)
    newer = context("hall", gid=b"g2", secret=bytes(15) + b"\1")
    assert option_of(protect_group_response(DONE, binding=binding, context=newer)).partial_iv == b"\0"


@pytest.mark.spec("RFC 10021 12.2")
@pytest.mark.requirement("R-63")
@pytest.mark.parametrize("heir", [None, "porch"], ids=["gone", "kid given to another"])
def test_a_client_that_left_is_not_answered_in_a_newer_epoch(heir):
    switch, hall, _ = group()
    message, _ = protect_group_request(WATCH, context=switch, to=b"ha")
    _, binding = unprotect_group_request(message, context=hall)
    newer = context("hall", members=("stairs",), gid=b"g2", secret=bytes(15) + b"\1")
    if heir:
        newer.add_member(b"sw", identity(heir)[1])
    with pytest.raises(UntrustedError):
        protect_group_response(LIT, binding=binding, context=newer)
    assert newer.own.sequence.next == 0


@pytest.mark.spec("RFC 10021 6.4")
def test_a_server_that_changes_its_kid_within_an_exchange_is_refused():
    switch, hall, _ = group()
    message, switch_binding = protect_group_request(WATCH, context=switch)
    _, binding = unprotect_group_request(message, context=hall)
    unprotect_group_response(protect_group_response(LIT, binding=binding), binding=switch_binding)
    renamed = context("hall")
    renamed.own = type(hall.own)(b"h2", hall.own.credential, hall.own.key, hall.own.sequence)
    renamed.own_group_cipher = hall.own_group_cipher
    switch.add_member(b"h2", hall.own.credential)
    with pytest.raises(UntrustedError, match="changed its kid"):
        unprotect_group_response(protect_group_response(LIT, binding=binding, context=renamed), binding=switch_binding)


@pytest.mark.spec("RFC 8613 4.1.3.5.2")
def test_a_notification_that_nobody_asked_for_is_refused():
    switch, hall, _ = group()
    message, switch_binding = protect_group_request(ON, context=switch)
    _, binding = unprotect_group_request(message, context=hall)
    with pytest.raises(DecodeError, match="Observe"):
        unprotect_group_response(protect_group_response(LIT, binding=binding), binding=switch_binding)
