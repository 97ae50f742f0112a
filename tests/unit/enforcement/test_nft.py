import pytest

from thingstead.enforcement import nft
from thingstead.enforcement.nft import load_text
from thingstead.errors import ConfigError

pytestmark = pytest.mark.namespace


def test_text_that_nftables_does_not_take_is_refused_with_its_reason():
    with pytest.raises(ConfigError, match="nftables refused the table"):
        load_text("table inet {")


def test_a_machine_without_nftables_is_told_which_package_it_wants(monkeypatch):
    monkeypatch.setattr(nft, "_LIBRARY", "libnftables-that-is-not-here.so.1")
    monkeypatch.setattr(nft, "_DIRECTORIES", "")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="install the package nftables"):
        load_text("table inet thingstead { }")
