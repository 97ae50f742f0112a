from __future__ import annotations

import pytest

from thingstead.storage.mac_registry import maker_of


@pytest.mark.parametrize(
    ("mac", "maker"),
    [("50:c7:bf:00:fc:a3", "TP-LINK"), ("94:10:3e:41:c2:05", "Belkin"), ("00:1a:22:05:c4:2e", "eQ-3")],
)
def test_an_assigned_block_has_its_maker(mac: str, maker: str) -> None:
    assert maker in maker_of(bytes.fromhex(mac.replace(":", "")))


def test_an_address_that_nobody_assigned_says_so() -> None:
    assert maker_of(bytes.fromhex("027700000001")) == "(an address of its own making)"


@pytest.mark.parametrize("mac", [b"", b"\x50\xc7\xbf", b"\xff" * 6, bytes.fromhex("01005e000001"), bytes(7)])
def test_what_is_no_address_of_one_interface_has_no_maker(mac: bytes) -> None:
    assert maker_of(mac) == ""


def test_a_block_in_nobodys_name_has_no_maker() -> None:
    assert maker_of(bytes.fromhex("fcfffe000001")) == ""
