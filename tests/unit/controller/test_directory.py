"""A domain's directory: whole, private and its own, or not made at all."""

import stat

import pytest

from thingstead.controller.config import ControllerConfig, ObserveConfig
from thingstead.controller.directory import KEYS, DomainDirectory
from thingstead.crypto.key import KeyType, generate
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import ConfigError, StorageError
from thingstead.identifier import KeyId
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key

ANCHOR = TrustAnchor("acme", generate(KeyType.P256).public, (generate(KeyType.P256).public,), bytes(16))


def made(tmp_path, settings="", policy="profile = 'home'"):
    directory = DomainDirectory(tmp_path / "home")
    directory.create(settings=settings, policy=policy)
    return directory


@pytest.mark.parametrize(
    "settings", ["nonsense", "[domain]\nnmae = 'x'", "[domain]\nheads = '.'", "[domain]\nheads = 'x'"]
)
def test_settings_that_are_wrong_leave_nothing_behind(tmp_path, settings):
    with pytest.raises(ConfigError):
        made(tmp_path, settings)
    assert list(tmp_path.iterdir()) == []


def test_a_domain_is_not_made_over_another(tmp_path):
    directory = made(tmp_path)
    before = directory.public("domain")
    with pytest.raises(ConfigError, match=r"a domain is at .* already"):
        made(tmp_path, policy="")
    assert directory.public("domain") == before
    assert directory.policy.read_text() == "profile = 'home'"


def test_where_no_domain_is_none_is_opened(tmp_path):
    directory = DomainDirectory(tmp_path)
    with pytest.raises(ConfigError, match="no domain at"):
        directory.load()
    with pytest.raises(StorageError):
        directory.public("domain")


@pytest.mark.parametrize("heads", [".", "heads", "../home/heads", "../home"])
def test_heads_beside_the_ledger_they_check_are_refused(tmp_path, heads):
    directory = made(tmp_path)
    directory.configuration.write_text(f"[domain]\nheads = '{heads}'")
    with pytest.raises(ConfigError, match="heads must lie outside"):
        directory.heads(directory.load())


@pytest.mark.parametrize("path", ["observe.sock", "./x/y", "../home/observe", "..", "../notes.txt"])
def test_a_socket_where_observers_cannot_go_or_something_else_lies_is_refused(tmp_path, path):
    directory = made(tmp_path)
    (tmp_path / "notes.txt").write_text("precious")
    config = ControllerConfig(observe=ObserveConfig(group="adm", socket=path))
    with pytest.raises(ConfigError, match=r"\[observe\] socket"):
        directory.observe_socket(config)


@pytest.mark.parametrize(("path", "found"), [("", "home.observe"), ("../x.sock", "x.sock")])
def test_observers_ask_beside_the_directory(tmp_path, path, found):
    config = ControllerConfig(observe=ObserveConfig(group="adm", socket=path))
    assert made(tmp_path).observe_socket(config) == tmp_path / found


@pytest.mark.parametrize("maker", ["", "..", "a/b", "-", "a b", "acme.anchor"])
def test_a_maker_whose_name_is_no_file_name_is_not_trusted(tmp_path, maker):
    directory = made(tmp_path)
    with pytest.raises(ConfigError, match="expected a maker's name"):
        directory.trust_maker(TrustAnchor(maker, ANCHOR.identity_key, ANCHOR.release_keys, ANCHOR.vendor_id))
    assert directory.anchors() == ()


@pytest.mark.parametrize("damage", ["bytes", "folder"])
def test_a_file_that_is_no_anchor_is_named(tmp_path, damage):
    directory = made(tmp_path)
    path = directory.trust / "brook.anchor"
    path.write_bytes(b"\x80") if damage == "bytes" else path.mkdir()
    with pytest.raises(ConfigError, match=r"brook\.anchor is not a trust anchor"):
        directory.anchors()


@pytest.mark.parametrize("maker", ["", "brook", "../policy", "acme.anchor"])
def test_a_maker_that_is_not_trusted_cannot_be_taken_away(tmp_path, maker):
    directory = made(tmp_path)
    directory.trust_maker(ANCHOR)
    with pytest.raises(ConfigError, match="is trusted; there are: acme"):
        directory.distrust_maker(maker)
    assert directory.anchors() == (ANCHOR,)


@pytest.mark.parametrize("text", [None, b"\xff"], ids=["absent", "no text"])
def test_a_policy_that_cannot_be_read_is_named(tmp_path, text):
    directory = made(tmp_path)
    directory.policy.unlink() if text is None else directory.policy.write_bytes(text)
    with pytest.raises(ConfigError, match=r"expected a policy at .*policy\.toml"):
        directory.policy_text()


def test_a_making_that_was_cut_off_is_finished_with_the_keys_that_are_there(tmp_path):
    directory = DomainDirectory(tmp_path / "home")
    directory.root.mkdir(mode=0o700)
    first = FileKeyStore(directory.keys).create(KeyId("domain"), KeyType.P256).public
    made(tmp_path)
    assert directory.public("domain") == first


def test_a_new_domain_is_private_and_its_ledger_key_lies_outside(tmp_path):
    directory = made(tmp_path)
    assert stat.S_IMODE(directory.root.stat().st_mode) == 0o700
    assert FileKeyStore(directory.keys).ids() == set(KEYS)
    outside = directory.heads(directory.load())
    assert outside == tmp_path / "heads" / "home.head"
    assert codec.decode(outside.with_suffix(".key").read_bytes()) == cose_key.public_map(directory.public("ledger"))
    assert directory.control_socket.parent == directory.releases.parent == directory.root


def test_a_trusted_maker_is_read_back_and_replaced_under_its_name(tmp_path):
    directory = made(tmp_path)
    other = TrustAnchor("acme", generate(KeyType.P256).public, (), bytes(16))
    assert directory.trust_maker(other) == directory.trust_maker(ANCHOR)
    assert directory.anchors() == (ANCHOR,)
    directory.distrust_maker("acme")
    assert directory.anchors() == ()
    assert (directory.settings_text(), directory.policy_text()) == ("", "profile = 'home'")
