"""What the software plane shows for threats, challenges and requirements: a row each, and what must have been seen."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FINDINGS"]

FINDINGS: Mapping[str, tuple[str, str, str]] = {
    "T7": (
        "a release needs every release key of its maker, ESP256 and ML-DSA-44; the thing verifies it itself",
        "who holds all release keys of a maker can sign anything; there is no threshold of people yet",
        "refused",
    ),
    "R-13": (
        "a release is offered whenever a thing asks, the newest of it; keys of groups until they are confirmed",
        "who sleeps past the end of its token joins again first",
        "installed",
    ),
    "C5.4": (
        "SUIT manifests, two slots, activation and sequence number in one step, a report for each outcome",
        "no encrypted images yet",
        "installed",
    ),
    "R-29": (
        "unsigned, half-signed, altered, foreign, expired and older releases are refused by tracker and thing alike",
        "the agent's word on what it installed is not attested yet",
        "refused",
    ),
    "R-70": (
        "the thing verifies signatures under anchors from its birth, not under the controller's word",
        "a thing that cannot verify would have to be isolated; none of that kind can join yet",
        "",
    ),
    "R-73": (
        "the running slot is never written; the pointer to it changes by one rename",
        "a flash that lies about what is on it is not told apart",
        "",
    ),
    "R-87": (
        "each release carries an ML-DSA-44 signature beside the classic one, and both must hold",
        "handshakes and sessions are classic still",
        "",
    ),
    "R-88": (
        "each image is searched for keys, tokens, passwords and personal data before it is published",
        "a secret that is packed, encrypted or shaped like noise is not found",
        "secret found",
    ),
}
"""question -> control, remaining risk, and what must have been seen; empty where this plane cannot see it."""
