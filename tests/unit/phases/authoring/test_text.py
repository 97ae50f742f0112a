"""Texts in every language."""

import pytest

from tests.unit.phases.authoring.workshop import LAMP, content_of, read, refused
from thingstead.protocols.profile import release as profile


def test_texts_and_words_are_there_in_every_language_that_they_are_written_in():
    text = LAMP + (
        "[text.de]\nmanifest_description = 'Lampe'\n[text.de.component.firmware]\nvendor_name = 'Lampen'\n"
        "[words]\nen = 'It dims.'\nde = 'Sie dimmt.'\n"
    )
    content = content_of(text)
    assert content.texts["de"][(), 1] == "Lampe"
    assert content.texts["de"][profile.FIRMWARE, 1] == "Lampen"
    assert content.version_of(profile.FIRMWARE) == "1.1.0"
    assert read(text).words == {"en": "It dims.", "de": "Sie dimmt."}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAMP + "[commands]\ninvoke = ['invoke']\n[text.englishlanguage]", "text.englishlanguage: expected a language"),
        (LAMP + "[words]\nen = 7", "words.en: expected text, got 7"),
        (LAMP + "[text.en]\nmanifest_description = '" + "a" * 5000 + "'", "expected at most 4096 characters"),
        (
            LAMP + "[[dependency]]\nname = 'keys'\n[commands]\ninvoke = ['invoke']\n[text.en.component.keys]",
            "text.en.component.keys: expected a component, not a dependency",
        ),
    ],
)
def test_what_makes_no_release_is_refused_and_the_place_is_named(text, says):
    refused(text, says)
