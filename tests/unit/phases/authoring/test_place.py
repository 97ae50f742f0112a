"""A refusal names the place."""

import pytest

from tests.unit.phases.authoring.workshop import refused


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
    ],
)
def test_what_makes_no_release_is_refused_and_the_place_is_named(text, says):
    refused(text, says)
