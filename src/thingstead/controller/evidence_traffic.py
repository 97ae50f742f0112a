"""What the ledger shows of the detectors: what they told of the things' network since the domain began."""

from __future__ import annotations

from thingstead.controller.figures import Figures, Row
from thingstead.domain.ledger.entry import Kind

__all__ = ["ROWS"]


def _reused(figures: Figures) -> tuple[str, bool]:
    told = figures.happened(Kind.ALARM, "oscore_nonce_reuse") + figures.happened(Kind.ALARM, "tls_nonce_reuse")
    return f"{told} alarms of numbers that were used for two messages", told > 0


def _lost(figures: Figures) -> tuple[str, bool]:
    alone, together = (figures.happened(Kind.ALARM, name) for name in ("silence", "lost_contact"))
    evidence = f"{together} times things fell silent together, {alone} times one did, with no plan of sleep"
    return evidence, together > 0 and alone > 0


ROWS: tuple[Row, ...] = (
    (
        "R-26",
        "own numbers are on disk before they are used; those seen in OSCORE, TLS 1.2 and DTLS 1.2 are compared",
        _reused,
        "protocols that are not looked into, answers without a number of their own, and networks without a tap",
    ),
    (
        "R-39",
        "a thing that is silent for longer than was planned is an incident, and so are many that fall silent at once",
        _lost,
        "what is planned is what series declare; a thing that is never heard at the tap is not missed there",
    ),
)
