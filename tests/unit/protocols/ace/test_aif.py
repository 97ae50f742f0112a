import pytest

from thingstead.errors import DecodeError, ForbiddenError, UnsupportedError
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.cbor import codec

# RFC 9237 §2.1: /s/temp GET; /a/led PUT, GET; /dtls POST.
RFC_SCOPE = Scope({"/s/temp": 1, "/a/led": 5, "/dtls": 2})
RESOURCES = ["/", "/s", "/s/temp", "/s/temp/", "/s/temp?u=k", "/S/temp", "/a/led", "/a", "/dtls", "", "s/temp"]
METHODS = range(256)


@pytest.mark.spec("RFC 9237 2.1")
def test_the_scope_of_the_rfc_survives_its_encoding():
    data = aif.encode(RFC_SCOPE)
    assert codec.decode(data) == [["/a/led", 5], ["/dtls", 2], ["/s/temp", 1]]
    assert aif.decode(data) == RFC_SCOPE


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9237 2.1")
@pytest.mark.parametrize("path", RESOURCES)
def test_every_path_and_method_beyond_the_scope_is_refused(path):
    for method in METHODS:
        granted = method > 0 and path in RFC_SCOPE.grants and RFC_SCOPE.grants[path] & 2 ** (method - 1)
        if granted:
            RFC_SCOPE.allows(path, method)
        else:
            with pytest.raises(ForbiddenError):
                RFC_SCOPE.allows(path, method)


@pytest.mark.spec("RFC 9237 2.1")
def test_each_permission_is_the_bit_of_its_method():
    for method, permission in enumerate(Permission, start=1):
        Scope({"/x": permission}).allows("/x", method)
        with pytest.raises(ForbiddenError):
            Scope({"/x": 127 & ~permission}).allows("/x", method)


@pytest.mark.spec("RFC 9200 5.10.2")
def test_a_refusal_tells_a_resource_from_a_method():
    with pytest.raises(ForbiddenError) as resource:
        RFC_SCOPE.allows("/other", 1)
    with pytest.raises(ForbiddenError) as method:
        RFC_SCOPE.allows("/s/temp", 2)
    assert (resource.value.reason, method.value.reason) == ("forbidden", "method")


@pytest.mark.requirement("R-35")
def test_an_empty_scope_allows_nothing():
    with pytest.raises(ForbiddenError):
        aif.decode(b"\x80").allows("/", 1)


@pytest.mark.requirement("R-35")
def test_a_narrowed_scope_holds_no_more_than_either():
    other = Scope({"/a/led": 6, "/s/temp": 2, "/new": 1})
    assert RFC_SCOPE.narrow(other) == other.narrow(RFC_SCOPE) == Scope({"/a/led": 4})


def test_a_scope_does_not_change_with_the_map_it_was_made_of():
    grants = {"/x": 1}
    scope = Scope(grants)
    grants["/y"] = 1
    with pytest.raises(ForbiddenError):
        scope.allows("/y", 1)
    with pytest.raises(TypeError):
        scope.grants["/y"] = 1  # type: ignore[index]  # the point of the test


@pytest.mark.parametrize("grants", [{"x": 1}, {"": 1}, {"/x": 0}, {"/x": -1}, {"/x": 128}])
def test_a_scope_that_means_nothing_is_our_mistake(grants):
    with pytest.raises(ValueError, match="a scope maps"):
        Scope(grants)


@pytest.mark.spec("RFC 9237 3")
@pytest.mark.parametrize(
    "value",
    [
        {},
        "read",
        ["/x", 1],
        [["/x"]],
        [["/x", 1, 1]],
        [[1, 1]],
        [[b"/x", 1]],
        [["x", 1]],
        [["", 1]],
        [["/x", 0]],
        [["/x", -1]],
        [["/x", True]],
        [["/x", 1.0]],
        [["/x", "GET"]],
        [["/x", 1], ["/x", 2]],
        [["/" + "x" * 255, 1]],
        [["/x", codec.Tag(2, b"\x01")]],
        [[f"/{i}", 1] for i in range(129)],
    ],
)
def test_a_scope_outside_the_grammar_is_refused(value):
    with pytest.raises(DecodeError):
        aif.decode(codec.encode(value))


@pytest.mark.spec("RFC 9237 2.3")
@pytest.mark.parametrize("permissions", [1 << 7, 1 << 31, 1 << 32, (1 << 33) + 1, (1 << 64) - 1])
def test_a_permission_that_nobody_can_enforce_is_refused_not_ignored(permissions):
    with pytest.raises(UnsupportedError):
        aif.decode(codec.encode([["/x", permissions]]))


def test_a_scope_over_its_limit_of_bytes_is_refused():
    with pytest.raises(DecodeError, match="at most 8 bytes"):
        aif.decode(aif.encode(RFC_SCOPE), limits=aif.Limits(max_bytes=8))
