"""The area oscore reads cases that give less, or more, than those that are shared: typed from RFC 8613 appendix C."""

import json

import pytest

from tests.conformance.areas import oscore
from tests.conformance.outcome import ManifestEntry, Verdict

ENTRY = ManifestEntry(area="oscore", file="cases.json", cases=1, source="RFC 8613 appendix C", note="")
SECRET = {"MASTER_SECRET": "0102030405060708090a0b0c0d0e0f10"}
SALTED = SECRET | {"MASTER_SALT": "9e7ca92223786340"}
CASES = {
    "C.5, no salt": SECRET
    | {
        "SENDER_ID": "00",
        "RECIPIENT_ID": "01",
        "COAP_REQ": "440171c30000b932396c6f63616c686f737483747631",
        "OSCORE_REQ": "440271c30000b932396c6f63616c686f737463091400ff4ed339a5a379b0b8bc731fffb0",
    },
    "C.6, ID Context": SALTED
    | {
        "RECIPIENT_ID": "01",
        "ID_CONTEXT": "37cbf3210017a2d3",
        "COAP_REQ": "44012f8eef9bbf7a396c6f63616c686f737483747631",
        "OSCORE_REQ": "44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3",
    },
    "C.8, Partial IV in the response": SALTED
    | {
        "SENDER_ID": "01",
        "COAP_REQ": "44015d1f00003974396c6f63616c686f737483747631",
        "OSCORE_REQ": "44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e",
        "COAP_RESPONSE": "64455d1f00003974ff48656c6c6f20576f726c6421",
        "OSCORE_RESP": "64445d1f00003974920100ff4d4c13669384b67354b2b6175ff4b8658c666a6cf88e",
    },
}


def verdict(tmp_path, case):
    (tmp_path / "cases.json").write_text(json.dumps({"case": case}))
    (outcome,) = oscore.run(tmp_path / "cases.json", ENTRY)
    return outcome.verdict


@pytest.mark.spec("RFC 8613 C")
@pytest.mark.parametrize("name", CASES)
def test_a_case_of_the_appendix_passes(tmp_path, name):
    assert verdict(tmp_path, CASES[name]) is Verdict.PASSED


@pytest.mark.parametrize("name", CASES)
def test_a_case_with_a_changed_message_does_not_pass(tmp_path, name):
    for field in {"COAP_REQ", "OSCORE_REQ", "COAP_RESPONSE", "OSCORE_RESP"} & CASES[name].keys():
        changed = CASES[name][field][:-2] + "99"
        assert verdict(tmp_path, CASES[name] | {field: changed}) is Verdict.FAILED


@pytest.mark.parametrize("case", [7, {"OSCORE_REQ": "zz"}, {"OSCORE_REQ": "00"}, SALTED | {"SENDER_KEY": "00"}])
def test_a_broken_case_fails_by_itself(tmp_path, case):
    assert verdict(tmp_path, case) is Verdict.FAILED


def test_a_case_that_claims_nothing_is_not_covered(tmp_path):
    assert verdict(tmp_path, SALTED) is Verdict.NOT_COVERED
