"""What a handshake agreed on becomes one pair of contexts, whoever kept it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.endpoint.derivation import context_of
from thingstead.errors import UnsupportedError
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.oscore.protection import protect_request, unprotect_request
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

AGREED = OscoreParameters(
    Secret(bytes(16)), bytes(8), b"\x01", b"\x02", AlgorithmId.AES_CCM_16_64_128, AlgorithmId.SHA_256
)


@pytest.mark.spec("RFC 9528 A.1")
def test_both_sides_hold_the_same_keys_crosswise():
    ours = context_of(AGREED)
    theirs = context_of(replace(AGREED, sender_id=b"\x02", recipient_id=b"\x01"))
    protected, _ = protect_request(request(Code.GET, "/x"), context=ours)
    inner, _ = unprotect_request(protected, context=theirs)
    assert inner.code == Code.GET


def test_a_context_that_is_in_memory_alone_needs_no_reservation():
    sequence = context_of(AGREED).sender.sequence
    assert sequence.next == 0
    assert sequence.reserved == sequence.limit


def test_numbers_go_on_and_a_lost_window_stays_lost():
    context = context_of(AGREED, sequence=SequenceNumbers(512, reserved=512), window=ReplayWindow(valid=False))
    assert context.sender.sequence.next == 512
    assert not context.recipient.window.is_valid


@pytest.mark.parametrize("size", [1, 8], ids=["same", "too-long"])
def test_identifiers_that_are_the_same_or_too_long_are_refused(size):
    with pytest.raises(ValueError, match="identifiers"):
        context_of(replace(AGREED, sender_id=b"\x02" * size))


def test_an_algorithm_that_is_none_is_refused():
    with pytest.raises(UnsupportedError):
        context_of(replace(AGREED, aead_id=AlgorithmId.SHA_256))
