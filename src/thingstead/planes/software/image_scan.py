"""Look through a firmware image with the YARA rules of the analysis floor; the one importer of yara_x."""

from __future__ import annotations

import yara_x

from thingstead.analysis.image_scan import DEFAULT_LIMITS, Finding, Limits, Match, judge
from thingstead.analysis.unpacking import unpack
from thingstead.errors import PolicyError
from thingstead.planes.software.scan_rules import SOURCE

__all__ = ["ImageScanner", "scan"]


def scan(image: bytes, *, limits: Limits = DEFAULT_LIMITS) -> list[Finding]:
    """Scan one image with rules compiled for it alone; see `ImageScanner.scan`."""
    return ImageScanner().scan(image, limits=limits)


class ImageScanner:
    """The compiled rules; making one takes a tenth of a second, so whoever scans many images keeps it."""

    __slots__ = ("_rules",)

    def __init__(self) -> None:
        self._rules = yara_x.compile(SOURCE)

    def scan(self, image: bytes, *, limits: Limits = DEFAULT_LIMITS) -> list[Finding]:
        """Find private keys, tokens, passwords and personal data in an image, and in what lies packed in it.

        A finding in something packed has the offset at which that begins.

        Raises:
            PolicyError: larger than the limit, or not looked through in time; such an image is not published either.
        """
        if len(image) > limits.max_bytes:
            raise PolicyError(
                f"expected an image of at most {limits.max_bytes} bytes, got {len(image)}", reason="image"
            )
        scanner = yara_x.Scanner(self._rules)
        scanner.set_timeout(limits.timeout)
        scanner.max_matches_per_pattern(limits.max_matches)
        found = self._look(scanner, image, limits)
        for part in unpack(image):
            if len(found) >= limits.max_findings:
                break
            inside = self._look(scanner, part.content, limits)
            found += [Finding(one.rule, part.offset, f"{one.what}, in {part.kind}") for one in inside]
        return list(dict.fromkeys(found))[: limits.max_findings]

    @staticmethod
    def _look(scanner: yara_x.Scanner, data: bytes, limits: Limits) -> list[Finding]:
        try:
            results = scanner.scan(data)
        except (yara_x.TimeoutError, yara_x.ScanError) as error:
            raise PolicyError(f"the image could not be looked through: {error}", reason="image") from error
        return judge(data, _matches(results), limits=limits)


def _matches(results: yara_x.ScanResults) -> list[Match]:
    return [
        Match(rule.identifier, pattern.identifier.lstrip("$"), match.offset, match.length, dict(rule.metadata)["what"])
        for rule in results.matching_rules
        for pattern in rule.patterns
        for match in pattern.matches
    ]
