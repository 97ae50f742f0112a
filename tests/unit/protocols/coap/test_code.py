import pytest

from thingstead.protocols.coap.code import code_name, is_error, is_request, is_reserved, is_response, is_signal
from thingstead.protocols.coap.registry import Code


@pytest.mark.spec("RFC 7252 3")
def test_each_octet_is_of_one_kind():
    kinds = (is_request, is_response, is_reserved)
    assert all(sum(kind(code) for kind in kinds) == 1 for code in range(1, 256) if code >> 5 != 3)
    assert not any(kind(Code.EMPTY) for kind in kinds)


@pytest.mark.parametrize(("code", "name"), [(Code.GET, "0.01"), (Code.CONTINUE, "2.31"), (Code.ABORT, "7.05")])
def test_a_code_is_named_by_class_and_detail(code, name):
    assert code_name(code) == name


@pytest.mark.parametrize(("code", "error"), [(Code.CONTENT, False), (Code.NOT_FOUND, True), (Code.CSM, False)])
def test_errors_are_classes_4_and_5(code, error):
    assert is_error(code) is error


@pytest.mark.spec("RFC 8323 5")
def test_signals_are_class_7():
    assert [code for code in Code if is_signal(code)] == [Code.CSM, Code.PING, Code.PONG, Code.RELEASE, Code.ABORT]
