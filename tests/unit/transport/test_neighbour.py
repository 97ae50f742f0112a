"""The kernel's table of neighbours: who is not in it whole has no link-layer address to bind to."""

import pytest

from thingstead.transport.neighbour import NO_MAC, mac_of

HEAD = "IP address       HW type     Flags       HW address            Mask     Device\n"
ROW = "192.0.2.1        0x1         0x2         02:77:00:00:00:01     *        lan0\n"


def table(tmp_path, text):
    path = tmp_path / "arp"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD,
        HEAD + ROW.replace("192.0.2.1 ", "192.0.2.11"),
        HEAD + "192.0.2.1 0x1 0x2\n",
        HEAD + ROW.replace("02:77:00:00:00:01", "*"),
        HEAD + ROW.replace("02:77:00:00:00:01", "02:77:00:00:00:zz"),
        HEAD + ROW.replace("02:77:00:00:00:01", "02:77:00:00:00:01:02:03"),
        HEAD + ROW.replace("0x2", "0x0"),
        ROW,
    ],
    ids=["empty", "nobody", "another", "cut", "no address", "no digits", "not Ethernet", "incomplete", "head"],
)
def test_who_is_not_there_whole_has_no_address(tmp_path, text):
    assert mac_of("192.0.2.1", table=table(tmp_path, text)) == NO_MAC


def test_without_a_table_nobody_has_an_address(tmp_path):
    assert mac_of("192.0.2.1", table=tmp_path / "absent") == NO_MAC
    assert mac_of("192.0.2.1", table=tmp_path) == NO_MAC


def test_nobody_of_that_name_is_found_in_the_kernel_s_own_table():
    assert mac_of("not an address") == NO_MAC


def test_a_neighbour_is_found_among_others(tmp_path):
    rows = HEAD + ROW.replace("192.0.2.1 ", "192.0.2.9 ").replace("01  ", "09  ") + ROW
    assert mac_of("192.0.2.1", table=table(tmp_path, rows)) == bytes.fromhex("027700000001")
