"""What the controller itself can show: live figures of ledger, register, endpoint and handshakes, as findings.

Figures are gathered once, at one instant; each row of the table reads them, and no row holds a figure of its own.
A row holds only if its figures bear on the whole question: a control that nothing has tried yet is not shown, and
where a part of the requirement cannot be seen from a running domain the row says so and never holds.
"""

from __future__ import annotations

from thingstead.controller import (
    evidence_attestation,
    evidence_network,
    evidence_owner,
    evidence_people,
    evidence_traffic,
)
from thingstead.controller.figures import Figures, Row
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.plane import Demand, Finding
from thingstead.domain.thing import RELEASE, KeyRow
from thingstead.protocols.profile import path

__all__ = ["findings"]

_KILL_BOUND = 60_000.0
_IN_CLEAR = frozenset({path.EDHOC, path.WELL_KNOWN_CORE})
_IN_USE = frozenset({LifecycleState.OPERATIONAL, LifecycleState.MAINTENANCE, LifecycleState.END_OF_LIFE})


def findings(figures: Figures) -> tuple[Finding, ...]:
    """One finding per row of the table."""
    return tuple(
        [
            Finding(question, None, control, evidence, risk, holds=holds)
            for question, control, seen, risk in _ROWS
            for evidence, holds in (seen(figures),)
        ]
    )


def _lifecycle(figures: Figures) -> tuple[str, bool]:
    moves, undeclared = figures.entries(Kind.TRANSITION), figures.tally.undeclared
    states = len({one.state for one in figures.things})
    evidence = f"{len(figures.things)} things in {states} states; {moves} transitions on the ledger"
    newest = figures.tally.newest.get(Kind.TRANSITION, "none")
    return f"{evidence}, {undeclared} outside the table; the newest is entry {newest}", moves > 0 == undeclared


def _ledger(figures: Figures) -> tuple[str, bool]:
    if figures.sealed is None:
        return f"{figures.tally.size} entries; the head kept outside does NOT fit them", False
    return f"{figures.tally.size} entries; the head kept outside fits the first {figures.sealed}", figures.sealed > 0


def _half_joined(figures: Figures) -> tuple[str, bool]:
    waiting = figures.owing(None)
    holding = sum(one.id in figures.live for one in waiting)
    evidence = f"{len(waiting)} things known and not joined, {holding} of them with a live association"
    return f"{evidence}; {figures.half_open} handshakes unfinished", bool(waiting) and not holding


def _rejoined(figures: Figures) -> tuple[str, bool]:
    waiting = sum(one.state is LifecycleState.RE_BOOTSTRAPPING for one in figures.things)
    return f"{waiting} things have to join anew now; that nobody works without is the endpoint's to show", False


def _makers(figures: Figures) -> tuple[str, bool]:
    makers = {one.maker for one in figures.things if one.state in _IN_USE}
    return f"things of {len(makers)} makers in use; that they talk to each other is not seen from here", False


def _gone(figures: Figures) -> tuple[str, bool]:
    gone = figures.owing(Demand.WITHDRAW)
    alive = sum(one.id in figures.live for one in gone)
    kills, slowest = figures.entries(Kind.KILL_CLOCK), figures.tally.slowest_kill
    clocks = "no kill clock ran" if slowest is None else f"{kills} kill clocks, slowest plane {slowest:.0f} ms"
    evidence = f"{len(gone)} things gone, {alive} of them with a live association; {clocks}; {figures.owed} owed"
    idle = f"; NOT acting: {', '.join(figures.idle)}" if figures.idle else ""
    in_time = slowest is not None and slowest <= _KILL_BOUND and not figures.tally.unfinished_kills
    return f"{evidence}{idle}", bool(gone) and not alive and in_time and not figures.idle


def _replay(figures: Figures) -> tuple[str, bool]:
    refused = figures.turned_away("replay", "echo-expired")
    evidence = f"{len(figures.live)} associations, each with its replay window"
    return f"{evidence}; {refused} stale messages refused since start", refused > 0


def _parsers(figures: Figures) -> tuple[str, bool]:
    refused = figures.turned_away("malformed", "unsupported")
    evidence = f"{refused} malformed or unknown messages refused since start, {len(figures.live)} things served"
    return evidence, refused > 0


def _in_clear(figures: Figures) -> tuple[str, bool]:
    refused = figures.turned_away("unprotected")
    evidence = f"{len(figures.public)} of {len(figures.paths)} paths answer in clear ({', '.join(figures.public)})"
    return f"{evidence}; {refused} other requests in clear refused since start", {path.EDHOC} <= {
        *figures.public
    } <= _IN_CLEAR


def _capture(figures: Figures) -> tuple[str, bool]:
    return f"{_in_clear(figures)[0]}; no capture is searched here", False


def _both_sides(figures: Figures) -> tuple[str, bool]:
    proven = figures.entries(Kind.AUTHENTICATION)
    refused = figures.turned_away("untrusted", "unauthenticated", "expired", "presenter")
    return f"{proven} identities proven on the ledger; {refused} proofs refused since start", proven > 0 and refused > 0


def _key_per_thing(figures: Figures) -> tuple[str, bool]:
    keys = [row.thumbprint for one in figures.things for row in one.keys if _is_own(row)]
    distinct = len(set(keys))
    return f"{len(keys)} open keys of {len(figures.things)} things, {distinct} distinct", 0 < len(keys) == distinct


def _is_own(row: KeyRow) -> bool:
    """Keys that sign releases are of others, and of many things at once."""
    return row.until is None and row.role != RELEASE


def _requests(figures: Figures) -> tuple[str, bool]:
    forbidden = figures.turned_away("forbidden")
    evidence = f"{len(figures.paths)} paths behind one decision"
    return f"{evidence}; {forbidden} requests outside their scope refused since start", forbidden > 0


def _flood(figures: Figures) -> tuple[str, bool]:
    crowded = figures.turned_away("busy", "overload", "unwelcome", "often")
    evidence = f"{figures.half_open} of at most {figures.max_half_open} handshakes unfinished"
    return f"{evidence}; {crowded} messages refused for want of room since start", crowded > 0


def _service(figures: Figures) -> tuple[str, bool]:
    return f"{_flood(figures)[0]}; the share that is served meanwhile is not measured here", False


def _amplification(figures: Figures) -> tuple[str, bool]:
    cut = figures.turned_away("amplification")
    return f"{cut} answers cut short since start", cut > 0


def _reassembly(figures: Figures) -> tuple[str, bool]:
    refused = figures.turned_away("too-large", "incomplete")
    return f"{refused} bodies too long or in pieces that do not fit refused since start", refused > 0


def _unproven(figures: Figures) -> tuple[str, bool]:
    challenged = figures.turned_away("unverified", "path")
    return f"{challenged} requests from addresses that had proved nothing were challenged since start", challenged > 0


def _contained(figures: Figures) -> tuple[str, bool]:
    crowded = figures.turned_away("busy", "overload", "unwelcome", "often")
    return f"{crowded} requests refused for want of room since start, {len(figures.live)} things served", crowded > 0


def _tampered(figures: Figures) -> tuple[str, bool]:
    refused = figures.turned_away("unauthenticated")
    return f"{refused} messages that did not verify refused since start", refused > 0


def _middlebox(_figures: Figures) -> tuple[str, bool]:
    return "`thingstead proxy` is a program of its own; this controller knows of none on the way", False


def _two_questions(figures: Figures) -> tuple[str, bool]:
    who, whether = figures.entries(Kind.AUTHENTICATION), figures.entries(Kind.AUTHORIZATION)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(figures.tally.verdicts.items()))
    return f"{who} entries say who, {whether} say whether ({verdicts or 'none yet'})", 0 < who == whether


def _directly(figures: Figures) -> tuple[str, bool]:
    issued = figures.entries(Kind.ISSUE)
    return (
        f"{issued} tokens and credentials issued on the ledger; what things ask of each other is not seen here",
        False,
    )


def _joined_in_any_order(figures: Figures) -> tuple[str, bool]:
    return f"{figures.tally.verdicts['admit']} joins; which of them came over a proxy is not seen from here", False


def _hidden(figures: Figures) -> tuple[str, bool]:
    joins = figures.entries(Kind.AUTHENTICATION)
    return f"{joins} identities arrived, each in message_3, which is encrypted", joins > 0


def _expiry(figures: Figures) -> tuple[str, bool]:
    told = figures.entries(Kind.ALARM)
    return f"{figures.expiries} dates watched over all planes, {told} warnings on the ledger", told > 0


def _forgotten(figures: Figures) -> tuple[str, bool]:
    counts = ", ".join([f"{count} {how}" for how, count in figures.forgotten.items()]) or "none"
    return f"{len(figures.things)} things watched; forgotten now: {counts}", bool(figures.forgotten)


def _flows(figures: Figures) -> tuple[str, bool]:
    refused = figures.turned_away("undeclared", "undated", "stale")
    return f"{refused} packs of undeclared or stale series refused since start", refused > 0


def _support(figures: Figures) -> tuple[str, bool]:
    dated = [one.support_end for one in figures.things if one.support_end is not None]
    past = [one for one in figures.things if one.support_end is not None and one.support_end <= figures.at]
    free = [one for one in past if one.state in _IN_USE - {LifecycleState.END_OF_LIFE}]
    evidence = f"{len(dated)} of {len(figures.things)} things have an end of support, {len(past)} are past it"
    return f"{evidence}, {len(free)} of them unrestricted", bool(past) and not free


_ROWS: tuple[Row, ...] = (
    *evidence_attestation.ROWS,
    *evidence_traffic.ROWS,
    *evidence_people.ROWS,
    *evidence_owner.ROWS,
    *evidence_network.ROWS,
    (
        "T5",
        "nothing but the handshake, and where it is done, is served in clear",
        _in_clear,
        "addresses, sizes and times stay visible",
    ),
    ("T8", "no two things share an open key", _key_per_thing, "keys of things lie in files of mode 0600"),
    (
        "C5.1.2",
        "unfinished handshakes are bounded in number and time; when they crowd, a source first proves its address",
        _flood,
        "until they crowd, message_1 costs one key agreement; things themselves are not watched",
    ),
    (
        "R-01",
        "one lifecycle table, asked by the one conductor",
        _lifecycle,
        "a wrong decision of an operator is obeyed",
    ),
    (
        "R-02",
        "every decision is a leaf of a Merkle tree whose signed heads are kept outside",
        _ledger,
        "entries younger than the newest head; whoever holds the ledger key and both places can rewrite all",
    ),
    (
        "R-04",
        "an association begins with the commit of its join and not before",
        _half_joined,
        "a join begins anew when it is interrupted; it is not taken up where it stopped",
    ),
    ("R-05", "one anchor per maker; policy names who may send things in", _makers, "an anchor is trusted as a whole"),
    (
        "R-08",
        "another owner, another key of a known thing, or software that the policy lists: each takes a join anew",
        _rejoined,
        "software is what the thing says it runs; what the policy does not list changes nothing",
    ),
    (
        "R-09",
        "a retirement obliges all six planes, is timed at each relying party, and is resumed after a crash",
        _gone,
        "a thing that is off cannot sign that it was wiped; a peer that nobody can ask may go on",
    ),
    (
        "R-12",
        "things that fell silent or that nobody mends, and neighbours that are no things, are listed and told",
        _forgotten,
        "who never sends anything on a named interface is not seen; silence is not told from a planned sleep",
    ),
    (
        "R-14",
        "each series declares the services that it needs; one that needs what nothing gives it is not taken up",
        _flows,
        "what things tell each other declares nothing; who holds a thing's keys dates its values",
    ),
    (
        "R-15",
        "OSCORE replay windows; after a restart an Echo before anything is believed",
        _replay,
        "a request that was held back is accepted once when it arrives, however late, where no Echo is asked for",
    ),
    (
        "R-16",
        "ranges and rates of the policy go with tokens; who acts holds each sender to the tighter of these and its own",
        _directly,
        "what is safe is the owner's word; a thing that is broken does not keep to it",
    ),
    (
        "R-19",
        "parsers of our own with limits, fuzzed by `make test`",
        _parsers,
        "fuzzing finds flaws and proves none absent",
    ),
    (
        "R-24",
        "nothing but the handshake, and where it is done, is served in clear, and a capture is searched by `make test`",
        _capture,
        "addresses, sizes and times stay visible",
    ),
    (
        "R-27",
        "EDHOC authenticates both sides: voucher and domain credential, maker identity and key",
        _both_sides,
        "the maker's word is the root: a maker that signs falsely is believed",
    ),
    ("R-35", "deny by default, decided before the path is looked up", _requests, "a policy written too wide is obeyed"),
    (
        "R-36",
        "what strangers may make us remember is bounded",
        _service,
        "many strangers at once can still keep a newcomer waiting",
    ),
    (
        "R-37",
        "an unverified address is sent at most three times what it sent",
        _amplification,
        "three times is still more than once",
    ),
    (
        "R-47",
        "bodies being put together are bounded in size, number, bytes and time, for each peer and in all",
        _reassembly,
        "a peer behind an association may fill its own share",
    ),
    (
        "R-49",
        "nothing is kept for an address, and nothing acts from it, before an Echo value came back from there",
        _unproven,
        "who sees the traffic of an address can answer for it",
    ),
    (
        "R-51",
        "every table that a peer can make grow is bounded; strangers and things share no bound",
        _contained,
        "a thing that asks without pause is answered; nothing slows it down but the answers",
    ),
    (
        "R-52",
        "a proxy that carries OSCORE unread and goes to configured origins alone",
        _middlebox,
        "addresses, sizes and times are seen on the way; HTTP is not translated",
    ),
    (
        "R-53",
        "each origin of the proxy declares its approach, our resolver object security; sharing credentials has an end",
        _middlebox,
        "middleboxes of others declare nothing; names that nobody signed are protected by nobody",
    ),
    (
        "R-55",
        "what stands outside the protection is discarded or has no effect",
        _tampered,
        "a message can be lost, late, or sent elsewhere",
    ),
    (
        "R-57",
        "a thing gets a token for another ahead of time; the other verifies it alone, until it expires",
        _directly,
        "a right that is taken back holds with a peer that nobody can tell until it expires",
    ),
    (
        "R-59",
        "the registrar says who, the join policy says whether; each has its own entry",
        _two_questions,
        "both run in one process",
    ),
    (
        "R-60",
        "a join hangs on no address and no order: a proxy carries it, and sees what any observer sees",
        _joined_in_any_order,
        "a proxy can hold messages back; who is behind it shares its address in the ledger and in the kernel's rules",
    ),
    (
        "R-61",
        "the thing checks the voucher before it says who it is, and says it encrypted",
        _hidden,
        "whoever holds the domain's handshake key learns it; source addresses tie attempts together",
    ),
    (
        "R-74",
        "a calendar over all planes; what is urgent is on the ledger",
        _expiry,
        "somebody has to read it",
    ),
    (
        "R-77",
        "warnings half a year and 30 days before; then the thing reaches the controller alone, and a join waits",
        _support,
        "support may end sooner than was told",
    ),
)
