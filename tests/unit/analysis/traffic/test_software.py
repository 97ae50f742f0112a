from __future__ import annotations

import pytest

from thingstead.analysis.traffic.clue import Clue, Source
from thingstead.analysis.traffic.software import components


def named(source: Source, text: str) -> list[str]:
    return [str(one) for one in components([Clue(source, text)])]


def test_a_client_of_dhcp_is_part_of_its_toolbox() -> None:
    assert named(Source.DHCP_CLASS, "udhcp 1.15.2") == ["busybox 1.15.2"]


def test_a_client_of_dhcp_from_before_its_toolbox_is_no_version_of_that() -> None:
    assert named(Source.DHCP_CLASS, "udhcp 0.9.9-pre") == ["udhcp 0.9.9-pre"]


def test_each_program_of_a_header_is_one() -> None:
    text = "Linux/2.6.21, UPnP/1.0, Portable SDK for UPnP devices/1.3.1"
    assert named(Source.UPNP_SERVER, text) == ["linux 2.6.21", "pupnp 1.3.1"]


def test_a_program_that_is_said_twice_is_one() -> None:
    clue = Clue(Source.HTTP_SERVER, "lighttpd/1.4.31")
    assert [str(one) for one in components([clue, clue])] == ["lighttpd 1.4.31"]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (Source.DHCP_CLASS, "MSFT 5.0"),
        (Source.HTTP_SERVER, "Apache"),
        (Source.HTTP_SERVER, "UPnP/1.0"),
        (Source.HTTP_AGENT, "curl/8.0.1"),
        (Source.DHCP_NAME, "lamp-1.0"),
        (Source.HTTP_SERVER, ""),
    ],
)
def test_what_names_no_version_of_a_program_of_its_own_is_none(source: Source, text: str) -> None:
    assert named(source, text) == []
