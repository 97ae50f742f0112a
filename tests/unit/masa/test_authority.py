"""The decision by itself: ambiguity, and how much."""

import pytest

from tests.unit.masa.wire import AT, BUYER, KEY, THING, VOUCHER, asked, sold
from thingstead.errors import DecodeError, ForbiddenError
from thingstead.masa.authority import MAX_VOUCHERS, Authority
from thingstead.masa.record import Record, Vouched
from thingstead.masa.sales import Sale
from thingstead.protocols.cose import key as cose_key

TO = (cose_key.thumbprint(KEY.public).hex(),)


def test_a_name_that_fell_on_two_things_is_nobodys():
    sales = sold(Sale("A-1", THING.hex(), TO), Sale("A-9", THING.hex(), TO))
    with pytest.raises(DecodeError, match="A-1, A-9") as refused:
        Authority("aurora", VOUCHER, sales=lambda: sales, record=Record()).vouch(asked()[0], BUYER, at=AT)
    assert refused.value.reason == "ambiguous"


def test_a_thing_has_so_many_vouchers_and_no_more():
    record = Record(tuple([Vouched("", "A-1", TO[0], str(number)) for number in range(MAX_VOUCHERS)]))
    with pytest.raises(ForbiddenError) as refused:
        Authority("aurora", VOUCHER, sales=sold, record=record).vouch(asked()[0], BUYER, at=AT)
    assert refused.value.reason == "too many"
    assert record.count("A-1") == MAX_VOUCHERS


def test_what_is_put_on_record_says_when_which_thing_and_for_whom():
    kept = []

    class Kept(Record):
        def add(self, one):
            kept.append(one)
            super().add(one)

    question, _ = asked()
    Authority("aurora", VOUCHER, sales=sold, record=Kept()).vouch(question, BUYER, at=AT)
    assert [(one.at, one.serial, one.domain, one.ek_ct) for one in kept] == [
        ("2026-11-23T12:00:00+00:00", "A-1", TO[0], question.ek_ct.hex())
    ]
