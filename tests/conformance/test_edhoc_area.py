"""The area edhoc reads other traces than those that are shared: here the method 3 trace, typed in that form."""

import pytest

from tests.conformance.areas import edhoc
from tests.conformance.outcome import ManifestEntry, Verdict
from tests.unit.protocols.edhoc import rfc9529 as rfc
from thingstead.protocols.cbor import codec

ENTRY = ManifestEntry(area="edhoc", file="trace.md", cases=1, source="", note="")
VALUES = {
    "message_1 (first time) (CBOR Sequence)": rfc.FIRST_MESSAGE_1,
    "message_1 (second time) (CBOR Sequence)": rfc.MESSAGE_1,
    "message_2 (CBOR Sequence)": rfc.MESSAGE_2,
    "message_3 (CBOR Sequence)": rfc.MESSAGE_3,
    "message_4 (CBOR Sequence)": rfc.MESSAGE_4,
    "X (Raw Value)": rfc.X,
    "Y (Raw Value)": rfc.Y,
    "SK_I (Raw Value)": rfc.SK_I,
    "SK_R (Raw Value)": rfc.SK_R,
    "C_I (Raw Value)": rfc.C_I,
    "C_R (Raw Value)": rfc.C_R,
    "ID_CRED_I (CBOR Data Item)": codec.encode({4: b"\x2b"}),
    "ID_CRED_R (CBOR Data Item)": codec.encode({4: b"\x32"}),
    "CRED_I (CBOR Data Item)": rfc.CRED_I,
    "CRED_R (CBOR Data Item)": rfc.CRED_R,
    **{f"EAD_{number} (CBOR Sequence)": b"" for number in (1, 2, 3, 4)},
    "OSCORE Master Secret (Raw Value)": rfc.MASTER_SECRET,
    "OSCORE Master Salt (Raw Value)": rfc.MASTER_SALT,
}


def block(name, data):
    size = f"({len(data)} byte{'s' if len(data) != 1 else ''})"
    return f"~~~~~~~~\nSome words on what it is\n{name} {size}\n{data.hex(' ')}\n~~~~~~~~\n"


def run(tmp_path, values):
    file = tmp_path / "trace.md"
    file.write_text("# Title\n\nProse.\n" + "\nMore prose.\n".join(block(name, data) for name, data in values.items()))
    return list(edhoc.run(file, ENTRY))


@pytest.mark.spec("RFC 9529 3")
def test_the_static_diffie_hellman_trace_passes(tmp_path):
    assert [outcome.verdict for outcome in run(tmp_path, VALUES)] == [Verdict.PASSED]


@pytest.mark.parametrize("name", sorted(set(VALUES) - {"message_1 (first time) (CBOR Sequence)"}))
def test_a_trace_with_one_value_changed_or_gone_does_not_pass(tmp_path, name):
    changed = bytes((VALUES[name][0] ^ 2,)) + VALUES[name][1:] if VALUES[name] else b"\x16"
    for values in (VALUES | {name: changed}, {key: value for key, value in VALUES.items() if key != name}):
        assert Verdict.PASSED not in [outcome.verdict for outcome in run(tmp_path, values)]


@pytest.mark.parametrize("name", ["message_1", "PLAINTEXT_2", "PLAINTEXT_3"])
def test_a_valid_message_said_to_be_invalid_does_not_pass(tmp_path, name):
    data = {"message_1": rfc.FIRST_MESSAGE_1, "PLAINTEXT_2": rfc.PLAINTEXT_2, "PLAINTEXT_3": rfc.PLAINTEXT_3}[name]
    valid = rfc.MESSAGE_1[:1] + b"\x02" + rfc.MESSAGE_1[4:] if name == "message_1" else data
    assert [outcome.verdict for outcome in run(tmp_path, {f"Invalid {name}": valid})] == [Verdict.FAILED]


def test_a_block_shorter_than_it_says_is_refused(tmp_path):
    file = tmp_path / "trace.md"
    file.write_text("~~~~~~~~\nX (Raw Value) (32 bytes)\n00 01\n~~~~~~~~\n")
    with pytest.raises(ValueError, match="32 bytes are announced"):
        list(edhoc.run(file, ENTRY))
