"""Which resource a request is for: its path is matched as it came, byte for byte, or there is none.

Nothing is decoded or tidied first, so that no spelling of a path means another one. The paths that a device is given
hold unreserved characters alone (RFC 3986 §2.3); a percent sign, a dot segment or a second slash leads nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from thingstead.errors import DecodeError, UnsupportedError

__all__ = ["Resource", "Route", "route"]

_SPEC = "hawkBit DDI API v1"


class Resource(Enum):
    """What there is, per device."""

    BASE = "base"
    CONFIG_DATA = "configData"
    DEPLOYMENT = "deploymentBase"
    DEPLOYMENT_FEEDBACK = "deploymentBase/feedback"
    CANCEL = "cancelAction"
    CANCEL_FEEDBACK = "cancelAction/feedback"
    ARTIFACTS = "artifacts"
    ARTIFACT = "artifact"
    CHECKSUM = "MD5SUM"


@dataclass(frozen=True, slots=True)
class Route:
    """A request's target.

    Attributes:
        resource: which.
        device: id in the path; whose it is, its token says.
        action: number in the path; -1 where the resource has none.
        name: file name in the path; empty where the resource has none.
    """

    resource: Resource
    device: str
    action: int = -1
    name: str = ""


_NUMBER = r"/(?P<action>0|[1-9][0-9]{0,9})"
_FILES = rf"/softwaremodules{_NUMBER}/artifacts"
_NAME = r"(?P<name>[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.[a-z]{1,8})"
_DEVICE = rb"/(?:default|DEFAULT)/controller/v1/(?P<device>[a-z0-9-]{1,64})"

_ROWS: tuple[tuple[str, Resource, str], ...] = (
    ("GET", Resource.BASE, ""),
    ("PUT", Resource.CONFIG_DATA, "/configData"),
    ("GET", Resource.DEPLOYMENT, rf"/deploymentBase{_NUMBER}"),
    ("POST", Resource.DEPLOYMENT_FEEDBACK, rf"/deploymentBase{_NUMBER}/feedback"),
    ("GET", Resource.CANCEL, rf"/cancelAction{_NUMBER}"),
    ("POST", Resource.CANCEL_FEEDBACK, rf"/cancelAction{_NUMBER}/feedback"),
    ("GET", Resource.ARTIFACTS, _FILES),
    ("GET", Resource.ARTIFACT, rf"{_FILES}/{_NAME}"),
    ("GET", Resource.CHECKSUM, rf"{_FILES}/{_NAME}\.MD5SUM"),
)
_TABLE = tuple([(method, resource, re.compile(_DEVICE + rest.encode())) for method, resource, rest in _ROWS])


def route(method: str, target: bytes) -> Route:
    """Find the resource of a request.

    Args:
        method: as it came; ``HEAD`` counts as ``GET``.
        target: the path as it came, without its query: the queries of the API only narrow what is told.

    Raises:
        DecodeError: no path of the API ("path").
        UnsupportedError: one, but it does not take that method ("method").
    """
    is_known = False
    for wanted, resource, pattern in _TABLE:
        found = pattern.fullmatch(target)
        if found is None:
            continue
        if wanted == ("GET" if method == "HEAD" else method):
            parts = {name: value.decode("ascii") for name, value in found.groupdict().items()}
            return Route(resource, parts["device"], int(parts.get("action", -1)), parts.get("name", ""))
        is_known = True
    if is_known:
        raise UnsupportedError("expected a method that this resource takes", spec=_SPEC, reason="method")
    raise DecodeError("expected a path of the API", spec=_SPEC, reason="path")
