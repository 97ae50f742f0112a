import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import handshake
from thingstead.errors import AuthenticationError, DecodeError
from thingstead.protocols.edhoc.credential import Credential, kid_reference
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.session import Agreement, Completed, Role, require_other, require_usable
from thingstead.protocols.edhoc.suite import SUITES, cipher_suite
from thingstead.secret import Secret


def completed(role=Role.INITIATOR, **changes):
    agreement = Agreement(
        role=role,
        suite=cipher_suite(2),
        c_i=rfc.C_I,
        c_r=rfc.C_R,
        peer=rfc.CREDENTIAL_R,
        prk_4e3m=Secret(rfc.PRK_4E3M),
        th_4=rfc.TH_4,
    )
    return Completed(agreement, **changes)


@pytest.mark.spec("RFC 9528 A.1")
def test_oscore_parameters_of_the_trace():
    parameters = completed().oscore()
    assert parameters.master_secret == Secret(rfc.MASTER_SECRET)
    assert parameters.master_salt == rfc.MASTER_SALT
    assert (parameters.sender_id, parameters.recipient_id) == (rfc.C_R, rfc.C_I)


def test_responder_sends_under_the_initiators_identifier():
    parameters = completed(Role.RESPONDER).oscore()
    assert (parameters.sender_id, parameters.recipient_id) == (rfc.C_I, rfc.C_R)


@pytest.mark.spec("RFC 9528 4.2.1")
def test_exporter_tells_label_context_and_size_apart():
    session = completed()
    exported = [session.export(*key) for key in ((32768, b"", 16), (32769, b"", 16), (32768, b"a", 16))]
    assert session.export(0, b"", 16) == Secret(rfc.MASTER_SECRET)
    assert len({secret.reveal() for secret in exported}) == 3
    assert session.export(32768, b"", 17).reveal()[:16] != exported[0].reveal()


@pytest.mark.parametrize("label", [-1, 65536])
def test_labels_out_of_the_registry_are_misuse(label):
    with pytest.raises(ValueError, match="exporter label"):
        completed().export(label, b"", 16)


def test_session_names_its_peer():
    session = completed(ead_4=(EadItem(15),))
    assert (session.peer, session.ead_4, session.suite.number) == (rfc.CREDENTIAL_R, (EadItem(15),), 2)


@pytest.mark.spec("RFC 8613 3.3")
@pytest.mark.parametrize(("number", "longest"), [(2, 7), (4, 6)])
def test_identifier_too_long_for_oscore_is_refused(number, longest):
    require_usable(bytes(longest), cipher_suite(number))
    with pytest.raises(DecodeError):
        require_usable(bytes(longest + 1), cipher_suite(number))


@pytest.mark.spec("RFC 9528 3.3.3")
def test_same_identifier_twice_is_refused():
    with pytest.raises(DecodeError):
        require_usable(b"\x01", cipher_suite(2), other=b"\x01")


@pytest.mark.spec("RFC 9528 9.2")
def test_own_key_is_nobody_else():
    renamed = Credential(kid_reference(b"other"), b"\xa0", rfc.CREDENTIAL_I.public)
    require_other(rfc.CREDENTIAL_R, rfc.CREDENTIAL_I)
    with pytest.raises(AuthenticationError):
        require_other(renamed, rfc.CREDENTIAL_I)


@pytest.mark.spec("RFC 9528 5")
@pytest.mark.parametrize("by_value", [False, True], ids=["kid", "kccs"])
@pytest.mark.parametrize("method", [0, 1, 2, 3])
@pytest.mark.parametrize("number", SUITES)
def test_each_method_and_suite_gives_both_ends_the_same_keys(number, method, by_value):
    ours, theirs, messages = handshake(cipher_suite(number), method, by_value=by_value)
    assert ours.oscore().master_secret == theirs.oscore().master_secret
    assert ours.export(40000, b"x", 32) == theirs.export(40000, b"x", 32)
    assert len(messages[1]) > len(messages[3])


@pytest.mark.spec("RFC 9528 H")
def test_key_update_is_agreed_upon_and_leads_to_keys_that_were_not_there_before():
    ours, theirs = completed(), completed(Role.RESPONDER)
    before = ours.export(0, b"", 16)
    for end in (ours, theirs):
        end.update_keys(b"first")
    first = ours.export(0, b"", 16)
    assert first == theirs.export(0, b"", 16)
    ours.update_keys(b"second")
    theirs.update_keys(b"another occasion")
    assert ours.export(0, b"", 16) != theirs.export(0, b"", 16)
    assert ours.export(0, b"", 16) not in (before, first)
