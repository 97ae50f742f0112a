"""The edition names the rules that images are looked through by."""

import hashlib

from thingstead.planes.software.scan_rules import EDITION, SOURCE


def test_the_edition_is_that_of_the_text_that_is_compiled():
    assert "rule " in SOURCE
    assert hashlib.sha256(SOURCE.encode()).hexdigest() == EDITION
