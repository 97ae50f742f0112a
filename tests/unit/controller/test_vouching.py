"""What becomes of a newcomer whose maker's server says yes, no, or nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.unit.controller.test_admission import NEWCOMER, OTHER_KEY, THING_KEY, Door, newcomer, rule
from tests.unit.masa.wire import asked
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.policy import Verdict
from thingstead.errors import DecodeError, ForbiddenError, PolicyError, TransportError, UntrustedError
from thingstead.protocols.cose import key as cose_key

pytestmark = pytest.mark.requirement("R-59")

RULE = rule()
OTHER_NEWCOMER = newcomer(OTHER_KEY, "A0002", 2)
NEWCOMER_KEY = cose_key.thumbprint(THING_KEY.public).hex()
ASKING = replace(NEWCOMER, question=asked()[0])
BUSY = TransportError("too many", reason="busy")
SILENT = TransportError("nobody there", reason="timeout")


def door(answer=b"voucher", rule=RULE):
    found = Door(rule)
    found.answer = answer
    return found


def verdicts(found):
    return [(one.cause, one.details["rule"]) for one in found.entries(Kind.AUTHORIZATION)]


def test_the_voucher_goes_out_with_what_is_granted():
    found = door()
    grant = found.come(ASKING)
    assert grant.voucher == b"voucher"
    assert found.asked == [("acme", ASKING.question)]
    assert found.things[0].state is LifecycleState.OPERATIONAL


def test_a_thing_that_knows_whose_it_is_costs_no_question():
    found = door()
    assert found.come(NEWCOMER).voucher == b""
    assert found.asked == []


@pytest.mark.parametrize("verdict", [Verdict.HOLD, Verdict.REFUSE])
def test_whom_the_policy_does_not_admit_nobody_is_asked_about(verdict):
    found = door(rule=replace(RULE, verdict=verdict))
    assert isinstance(found.come(ASKING), PolicyError)
    assert found.asked == []


@pytest.mark.parametrize("reason", ["not sold", "unknown thing"])
def test_a_thing_that_the_maker_does_not_give_us_is_refused_and_not_kept(reason):
    found = door(ForbiddenError("no", reason=reason))
    error = found.come(ASKING)
    assert isinstance(error, PolicyError)
    assert error.reason == "refused"
    assert found.things == []
    ((cause, rule),) = verdicts(found)
    assert cause == "refuse"
    assert rule.endswith(f"its maker's server does not vouch for us: {reason}")


def test_a_member_that_the_maker_does_not_give_us_any_more_gets_nothing_new():
    found = door()
    found.come(NEWCOMER)
    grants = found.access.tokens_of(found.things[0].id)
    found.answer = ForbiddenError("no", reason="not sold")
    assert isinstance(found.come(ASKING), PolicyError)
    assert found.access.tokens_of(found.things[0].id) == grants


@pytest.mark.parametrize(
    "error",
    [SILENT, TransportError("none", reason="no server"), UntrustedError("who", reason="server"), DecodeError("what")],
    ids=["timeout", "no-server", "another", "malformed"],
)
def test_a_server_that_cannot_be_asked_makes_a_thing_wait_and_says_why(error):
    found = door(error)
    refused = found.come(ASKING)
    assert isinstance(refused, PolicyError)
    assert refused.reason == "held"
    ((thing, waiting),) = found.admission.waiting()
    assert waiting.rule.endswith(f"its maker's server could not be asked: {error.reason}")
    assert thing.state is LifecycleState.INSTALLED
    command = "trust add" if error.reason == "no server" else "agent claim"
    assert f"thingstead {command}" in str(refused)


def test_it_comes_in_by_itself_when_the_server_is_there_again():
    found = door(SILENT)
    found.come(ASKING)
    found.answer = b"voucher"
    assert found.come(ASKING).voucher == b"voucher"
    assert found.admission.waiting() == ()


def test_nobody_s_yes_replaces_the_maker_s_word():
    found = door(SILENT)
    found.come(ASKING)
    with pytest.raises(PolicyError, match="thingstead agent claim") as refused:
        found.approve()
    assert refused.value.reason == "no voucher"


def test_who_was_reset_in_hand_meanwhile_waits_for_a_person_as_others_do():
    found = door(SILENT)
    found.come(ASKING)
    ownership = found.admission._ownership
    ownership.objections["A0001"] = "somebody who has it in hand has to compare its key"
    assert isinstance(found.come(NEWCOMER), PolicyError)
    waiting = found.approve(key=NEWCOMER_KEY)
    assert waiting.approval is not None


def test_when_too_many_ask_at_once_nothing_is_decided():
    found = door(BUSY)
    assert found.come(ASKING) is BUSY
    assert found.things == []
    assert verdicts(found) == []


def test_what_a_count_allows_is_not_overrun_while_a_server_is_asked():
    found = door(rule=replace(RULE, count=1))
    gate = asyncio.Event()

    async def slow(_maker, _question):
        await gate.wait()
        return b"voucher"

    async def story():
        found.admission._vouch = slow
        other = replace(OTHER_NEWCOMER, question=asked()[0])

        async def release():
            await asyncio.sleep(0)
            gate.set()

        joins = [found.admission(one) for one in (ASKING, other)]
        return await asyncio.gather(*joins, release(), return_exceptions=True)

    results = asyncio.run(story())
    assert [isinstance(one, PolicyError) for one in results] == [False, True, False]
