"""Known vulnerabilities that a command line names: what cannot be read is told, or nothing would look like none."""

from __future__ import annotations

from thingstead.analysis.vulnerability import Feed
from thingstead.cli.action import Session
from thingstead.errors import ConfigError
from thingstead.storage.osv_source import read_feed

__all__ = ["feed"]


def feed(session: Session) -> Feed:
    """The records of ``--osv``; none where it is not given.

    Raises:
        ConfigError: nothing is there, or nothing of it is a record.
    """
    if session.options["osv"] is None:
        return Feed()
    path = session.path("osv")
    found = read_feed(path)
    if found.passed_over:
        name, why = found.passed_over[0]
        if not found.records:
            raise ConfigError(f"expected records of known vulnerabilities in {path}; {name}: {why}")
        session.console.note(f"{path.name}: {len(found.passed_over)} are no records; {name}: {why}")
    return Feed(found.records)
