import pytest

from thingstead.errors import DecodeError, ForbiddenError, UnsupportedError
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Bounds, Permission, Scope
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


BOUNDED = Scope({"/light": 5, "/light/level": 4}, {"/light/level": Bounds(10, 60, 6)})


@pytest.mark.requirement("R-16")
@pytest.mark.spec("RFC 9237 2")
def test_bounds_survive_their_encoding_and_what_has_none_is_as_before():
    assert codec.decode(aif.encode(BOUNDED)) == [["/light", 5], ["/light/level", [4, {1: 10, 2: 60, 3: 6}]]]
    assert aif.decode(aif.encode(BOUNDED)) == BOUNDED
    assert Scope({"/x": 1}, {"/x": Bounds()}) == Scope({"/x": 1})


@pytest.mark.requirement("R-16")
@pytest.mark.parametrize(
    ("other", "kept"),
    [
        (Bounds(), Bounds(10, 60, 6)),
        (Bounds(20, 80, 60), Bounds(20, 60, 6)),
        (Bounds(None, 30, None), Bounds(10, 30, 6)),
        (Bounds(0, 100, 1), Bounds(10, 60, 1)),
    ],
)
def test_narrowed_bounds_are_the_tighter_of_both(other, kept):
    theirs = Scope({"/light/level": 4}, {"/light/level": other})
    assert BOUNDED.narrow(theirs).bounds_of("/light/level") == kept
    assert theirs.narrow(BOUNDED).bounds_of("/light/level") == kept


@pytest.mark.requirement("R-16")
@pytest.mark.parametrize(("methods", "left"), [(4, {}), (5, {"/light/level": 1})])
def test_ranges_without_a_value_in_common_leave_nothing_to_set(methods, left):
    ours = Scope({"/light/level": methods}, {"/light/level": Bounds(0, 10)})
    theirs = Scope({"/light/level": methods}, {"/light/level": Bounds(20, 30)})
    assert ours.narrow(theirs).grants == left


@pytest.mark.requirement("R-16")
def test_widening_keeps_what_is_bounded_bounded():
    assert BOUNDED.widen(Scope({"/light/level": 1})).bounds_of("/light/level") == Bounds(10, 60, 6)
    assert Scope({"/light/level": 1}).widen(BOUNDED).bounds_of("/light/level") == Bounds(10, 60, 6)
    with pytest.raises(ValueError, match="differently"):
        BOUNDED.widen(Scope({"/light/level": 4}, {"/light/level": Bounds(0, 100)}))


@pytest.mark.requirement("R-16")
@pytest.mark.parametrize(
    ("tperm", "error"),
    [
        ([], DecodeError),
        ([4], DecodeError),
        ([4, {}], DecodeError),
        ([4, []], DecodeError),
        ([4, {1: 0}, 0], DecodeError),
        ([0, {1: 0}], DecodeError),
        ([True, {1: 0}], DecodeError),
        ([4, {1: 1.5}], DecodeError),
        ([4, {1: "10"}], DecodeError),
        ([4, {1: True}], DecodeError),
        ([4, {1: 10, 2: 9}], DecodeError),
        ([4, {1: 1 << 31}], DecodeError),
        ([4, {2: -(1 << 31) - 1}], DecodeError),
        ([4, {3: -1}], DecodeError),
        ([4, {3: 1 << 17}], DecodeError),
        ([4, {0: 1}], UnsupportedError),
        ([4, {4: 1}], UnsupportedError),
        ([4, {"lowest": 1}], UnsupportedError),
        ([1 << 40, {1: 0}], UnsupportedError),
        ([[4, {1: 0}], {1: 0}], DecodeError),
    ],
)
def test_bounds_that_cannot_be_kept_are_refused(tperm, error):
    with pytest.raises(error):
        aif.decode(codec.encode([["/light/level", tperm]]))


def test_bounds_of_what_is_not_granted_are_our_own_mistake():
    with pytest.raises(ValueError, match="granted"):
        Scope({"/light": 4}, {"/light/level": Bounds(0, 1)})
