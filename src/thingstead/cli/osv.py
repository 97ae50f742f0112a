"""``thingstead osv``: known vulnerabilities, from records that the owner has, and the things that they are about."""

from __future__ import annotations

from typing import Any

from thingstead.cli.action import Parameter
from thingstead.cli.console import View
from thingstead.cli.remote import absolute_paths, remote

__all__ = ["IMPORT", "LIST"]

_VIEW = View(
    (
        ("thing", "thing"),
        ("runs", "version"),
        ("vulnerability", "id"),
        ("severity", "severity"),
        ("certain", "certain"),
        ("component", "component"),
        ("because", "because"),
    ),
    empty="no thing runs software with a known vulnerability",
)


def _after_list(rows: Any) -> str:
    return f"thingstead network block --cve {rows[0]['id']} --preview" if rows else "thingstead osv import RECORDS"


IMPORT = remote(
    "osv.import",
    Parameter("path", "file, folder or zip of records in the schema of OSV, JSON or YAML"),
    prepare=absolute_paths("path"),
    then="thingstead osv list",
    description=(
        "Nothing is fetched. What the records are about among software that things run is told to the ledger, and\n"
        "from `quarantine_from` on ([vulnerability] in policy.toml) the thing is cut off, within this command."
    ),
)
LIST = remote(
    "osv.list",
    Parameter("--thing", "of one thing alone"),
    view=_VIEW,
    then=_after_list,
    description="By the SBOM of the release that a thing says it runs. What is not certain nobody can tell from here.",
)
