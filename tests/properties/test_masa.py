"""Whatever domains ask, and in whatever order: no key seals two vouchers, and none is for who bought nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.masa.wire import AT, BUYER, KEY, OTHER, STRANGER, THING, VOUCHER, credential, sold
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import ProtocolError, SecurityError
from thingstead.masa.authority import Authority
from thingstead.masa.record import Record
from thingstead.masa.sales import Sale
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.lake_authz.message import VoucherRequest

SECOND = credential(STRANGER, "second")
TO_BUYER, TO_SECOND = (cose_key.thumbprint(key.public).hex() for key in (KEY, STRANGER))
SOLD = sold(Sale("A-1", THING.hex(), (TO_BUYER, TO_SECOND)), Sale("A-2", OTHER.hex(), (TO_BUYER,)))
KEYS = [generate(KeyType.P256).public.x for _ in range(2)]
QUESTIONS = st.tuples(
    st.sampled_from([2, 3]),
    st.sampled_from(KEYS),
    st.sampled_from([bytes(32), b"\x01" * 32]),
    st.sampled_from([THING, OTHER, b"\xa1\x04\x40"]),
    st.booleans(),
    st.sampled_from([BUYER, SECOND]),
)


@pytest.mark.spec("draft-ietf-lake-authz-07 4.5.1")
@given(st.lists(QUESTIONS, max_size=12))
def test_one_key_seals_one_voucher_and_each_was_sold(questions):
    authority = Authority("aurora", VOUCHER, sales=lambda: SOLD, record=Record())
    sealed: dict[bytes, bytes] = {}
    for number, ek_ct, h_21, thing, fetch, domain in questions:
        question = VoucherRequest(cipher_suite(number), ek_ct, h_21, thing, fetch)
        try:
            voucher = authority.vouch(question, domain, at=AT)
        except (ProtocolError, SecurityError):
            continue
        assert thing == THING or (thing == OTHER and domain is BUYER)
        assert ek_ct not in sealed
        sealed[ek_ct] = voucher
