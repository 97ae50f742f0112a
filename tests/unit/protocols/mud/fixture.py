"""A small valid file that tests bend."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

from thingstead.protocols.mud.parser import parse

AT = datetime(2026, 11, 23, tzinfo=UTC)
URL = "https://maker.example/lamp"
ACE = {
    "name": "cloud",
    "matches": {
        "ipv4": {"ietf-acldns:dst-dnsname": "cloud.maker.example", "protocol": 6},
        "tcp": {"ietf-mud:direction-initiated": "from-device", "destination-port": {"operator": "eq", "port": 443}},
    },
    "actions": {"forwarding": "accept"},
}
FILE = {
    "ietf-mud:mud": {
        "mud-version": 1,
        "mud-url": URL,
        "last-update": "2026-01-02T03:04:05+00:00",
        "is-supported": True,
        "systeminfo": "A lamp",
        "from-device-policy": {"access-lists": {"access-list": [{"name": "from"}]}},
        "to-device-policy": {"access-lists": {"access-list": [{"name": "to"}]}},
    },
    "ietf-access-control-list:acls": {
        "acl": [
            {"name": "from", "type": "ipv4-acl-type", "aces": {"ace": [ACE]}},
            {"name": "to", "type": "ipv4-acl-type", "aces": {"ace": []}},
        ]
    },
}


def bent(path="", value=None, *, drop=False):
    """The file with the member at `path` replaced, added or dropped, as bytes."""
    document = copy.deepcopy(FILE)
    if path:
        *parents, last = [step.replace("~1", "/") for step in path.split("/")[1:]]
        node: Any = document
        for step in parents:
            node = node[int(step)] if isinstance(node, list) else node[step]
        last = int(last) if isinstance(node, list) else last
        if drop:
            del node[last]
        else:
            node[last] = value
    return json.dumps(document).encode()


def with_ace(matches, *, acl=0, kind="ipv4-acl-type", action="accept"):
    """The file whose list number `acl` has one ACE with `matches`, and whose other list is empty."""
    ace = {"name": "a", "matches": matches, "actions": {"forwarding": action}}
    lists = [
        {"name": name, "type": kind, "aces": {"ace": [ace] if number == acl else []}}
        for number, name in enumerate(("from", "to"))
    ]
    return bent("/ietf-access-control-list:acls/acl", lists)


def entry(matches, **kwargs):
    """The only entry of the file with `matches`."""
    (found,) = parse(with_ace(matches, **kwargs)).entries
    return found


def require_left_out(matches, **kwargs):
    """No entry, and findings that say so."""
    file = parse(with_ace(matches, **kwargs))
    assert file.entries == ()
    assert file.findings
    assert all(finding.narrows and finding.place and finding.spec for finding in file.findings)
