"""Invariant: of a group message, in either mode, every change to option or payload is refused with an error of ours,
moves no window and no response number, and leaves the untouched message acceptable.
"""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.properties.test_oscore import edited, mutations
from tests.unit.protocols.group_oscore.group import group
from thingstead.errors import ThingsteadError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.group_oscore.protection import (
    protect_group_request,
    protect_group_response,
    unprotect_group_request,
    unprotect_group_response,
)

MODES = st.sampled_from([None, b"st"])
ON = Message(Code.PUT, payload=b"on")
DONE = Message(Code.CHANGED)


@pytest.mark.requirement("R-65")
@given(data=st.data(), to=MODES)
@settings(max_examples=80, deadline=None)
def test_a_changed_request_is_refused_and_changes_nothing(data, to):
    switch, _, stairs = group()
    outer, _ = protect_group_request(ON, context=switch, to=to)
    genuine = outer.option(OptionNumber.OSCORE)
    option, payload = data.draw(mutations(genuine)), data.draw(mutations(outer.payload))
    assume((option, payload) != (genuine, outer.payload))
    with pytest.raises(ThingsteadError):
        unprotect_group_request(edited(outer, option, payload), context=stairs)
    assert unprotect_group_request(outer, context=stairs)[0] == ON


@pytest.mark.requirement("R-65")
@given(data=st.data(), to=MODES, pairwise=st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_changed_response_is_refused_and_changes_nothing(data, to, pairwise):
    switch, _, stairs = group()
    outer, switch_binding = protect_group_request(ON, context=switch, to=to)
    _, binding = unprotect_group_request(outer, context=stairs)
    response = protect_group_response(DONE, binding=binding, pairwise=pairwise)
    genuine = response.option(OptionNumber.OSCORE)
    option, payload = data.draw(mutations(genuine)), data.draw(mutations(response.payload))
    assume((option, payload) != (genuine, response.payload))
    with pytest.raises(ThingsteadError):
        unprotect_group_response(edited(response, option, payload), binding=switch_binding)
    assert unprotect_group_response(response, binding=switch_binding)[0] == DONE
