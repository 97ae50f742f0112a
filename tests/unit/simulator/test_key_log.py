from dataclasses import replace

import pytest

from thingstead.agent import association as association_codec
from thingstead.agent.association import DomainAssociation
from thingstead.agent.file_home import FileHome
from thingstead.agent.membership import ASSOCIATION
from thingstead.agent.program import HOME
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import UnsupportedError
from thingstead.secret import Secret
from thingstead.simulator import key_log

MEMBER = DomainAssociation(
    master_secret=Secret(bytes(16)),
    master_salt=b"\x01" * 8,
    sender_id=b"\x11",
    recipient_id=b"\x22",
    aead_id=AlgorithmId.AES_CCM_16_64_128,
    digest_id=AlgorithmId.SHA_256,
    domain_credential=b"",
    access_token=b"",
    granted_token=b"",
    thing_credential=b"",
    issuer_credential=b"",
)


def rows(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_each_association_is_there_once_for_each_direction():
    first, second = rows(key_log.render([MEMBER]))
    assert first.startswith('"11","22","00000000000000000000000000000000","0101010101010101","",')
    assert second.startswith('"22","11",')


def test_the_file_says_what_it_is_before_anything_else(tmp_path):
    assert key_log.render([]).startswith("# THESE ARE KEYS")
    key_log.write(tmp_path / "keys", [])
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600


def test_things_that_have_not_joined_are_passed_over(tmp_path):
    joined, waiting = tmp_path / "a", tmp_path / "b"
    FileHome(joined / HOME).save(ASSOCIATION, association_codec.encode(MEMBER))
    assert key_log.write(tmp_path / "keys", [joined, waiting]) == 1
    assert len(rows((tmp_path / "keys").read_text())) == 2


@pytest.mark.parametrize(
    "changes", [{"aead_id": AlgorithmId.AES_CCM_16_128_128}, {"digest_id": AlgorithmId.SHA_512}], ids=["aead", "hash"]
)
def test_an_algorithm_that_wireshark_cannot_name_is_refused(changes):
    with pytest.raises(UnsupportedError, match="Wireshark has no name"):
        key_log.render([replace(MEMBER, **changes)])
