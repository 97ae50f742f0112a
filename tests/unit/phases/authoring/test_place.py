"""A refusal names the place."""

import pytest

from tests.unit.phases.authoring.workshop import IMAGE, content_of, refused


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sequence = ", "expected TOML"),
        ("", "the file: expected sequence, which is missing"),
        ("sequence = -1", "sequence: expected a whole number from 0"),
        ("sequence = true", "sequence: expected a whole number from 0"),
        ("sequence = 1\nvendr = 'a'", "the file: there is no 'vendr' here; did you mean vendor?"),
        ("a = " + "[" * 80 + "]" * 80, "at most 24 deep"),
        ("sequence = 1\n" + "x" * (1 << 18), "expected a release file of at most 262144 characters"),
        (
            "sequence = 1\n" + "".join([f"[text.a{n}]\n" for n in range(257)]),
            "text: expected at most 256 keys",
        ),
        ("sequence = 1\ncomponent = 7", "component: expected a list, got 7"),
        ("sequence = 1\nsevered = [" + "'a'," * 257 + "]", "severed: expected at most 256 items, got 257"),
        ("sequence = 1\n[[component]]\ninvoke = 'yes'", "component[1].invoke: expected true or false, got 'yes'"),
        ("sequence = 1\ncoswid = {}", "coswid: expected one of text, hex, uuid and file, got a table of 0"),
        ("sequence = 1\ncoswid = { uuid = 'x' }", "coswid.uuid: expected a UUID, got 'x'"),
        ("sequence = 1\ncoswid = { text = [] }", "coswid.text: expected text, got a list of 0"),
        ("sequence = 1\nreference_uri = { a = 1 }", "reference_uri: expected text, got a table of 1"),
        ("sequence = 1\nreference_uri = '" + "x" * 5000 + "'", "reference_uri: expected at most 4096 characters"),
        ("sequence = 1\nmanifest_id = 'a'", "manifest_id: expected a list, got 'a'"),
    ],
)
def test_what_makes_no_release_is_refused_and_the_place_is_named(text, says):
    refused(text, says)


def test_bytes_are_text_hexadecimal_a_uuid_or_a_file():
    uuid = "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe"
    said = f"'a', {{ text = 'b' }}, {{ hex = '00ff' }}, {{ uuid = '{uuid}' }}, {{ file = 'image.bin' }}"
    content = content_of(f"sequence = 1\nmanifest_id = [{said}]")
    assert content.component_id == (b"a", b"b", b"\x00\xff", bytes.fromhex(uuid.replace("-", "")), IMAGE)
