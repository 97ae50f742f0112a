from dataclasses import replace

import pytest

from tests.unit.protocols.edhoc import psk_draft as draft
from thingstead.errors import DecodeError
from thingstead.secret import Secret

pytestmark = pytest.mark.spec("draft-ietf-lake-edhoc-psk-08 3")


@pytest.mark.parametrize("changes", [{"psk": Secret(bytes(15))}, {"cred_i": draft.CRED_R}])
def test_a_short_key_or_one_name_for_both_is_refused(changes):
    with pytest.raises(ValueError, match="two names"):
        replace(draft.SHARED, **changes)


@pytest.mark.parametrize("changes", [{"id_cred": b""}, {"id_cred": b"\x41k"}, {"cred_i": b"\xa1"}, {"cred_r": b""}])
def test_what_is_no_credential_is_refused(changes):
    with pytest.raises(DecodeError):
        replace(draft.SHARED, **changes)


def test_the_key_is_not_shown():
    assert "5093" not in repr(draft.SHARED)
    assert draft.PSK.reveal().hex() not in repr(replace(draft.SHARED, cred_i=b"\x01", cred_r=b"\x02"))
