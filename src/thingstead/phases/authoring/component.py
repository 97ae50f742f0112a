"""The tables ``[[component]]`` and ``[[dependency]]`` of a release file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from thingstead.errors import DecodeError, ProtocolError, SecurityError
from thingstead.phases.authoring.parameter import Scope, read_digest
from thingstead.phases.authoring.place import Place
from thingstead.phases.authoring.template import Component, Dependency, Slot
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.digest import Digest, digest_of
from thingstead.protocols.suit.manifest import ComponentId, decode_manifest
from thingstead.protocols.suit.registry import Member, ParameterId

__all__ = ["Components", "Dependencies", "read_components", "read_dependencies"]

_MAX_SIZE = 1 << 40
_MAX_SLOT = 255
_IMAGE_KEYS = ("image", "digest", "size", "uri", "integrated")
_COMPONENT_KEYS = (
    "name",
    "id",
    *_IMAGE_KEYS,
    "encrypted",
    "delta_from",
    "slot",
    "download",
    "load_from",
    "invoke",
    "arguments",
    "uninstall",
)


@dataclass(frozen=True, slots=True)
class Components:
    """What the components of a file come to.

    Attributes:
        components: in the order of the file.
        integrated: payloads that travel in the envelope, by URI.
        files: payloads that travel beside it, by file name.
        deltas: images before and after, of a component to which the difference travels too.
    """

    components: tuple[Component, ...] = ()
    integrated: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    deltas: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the dependencies of a file come to.

    Attributes:
        dependencies: those whose envelope is at hand; the others are for ``[commands]`` alone.
        prefixes: of all of them, in the order of the file.
        integrated: envelopes that travel in the envelope, by URI.
    """

    dependencies: tuple[Dependency, ...] = ()
    prefixes: tuple[ComponentId, ...] = ()
    integrated: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Image:
    """An image, as much of it as is known here: `parameters` are its digest and size."""

    parameters: dict[int, Any]
    uri: str = ""
    content: bytes = b""


def read_components(place: Place | None, scope: Scope) -> Components:
    """Read ``[[component]]``.

    Raises:
        ConfigError: a table that says too little, too much or nonsense; names the place.
    """
    items = [] if place is None else place.items()
    made = Components()
    components = [_component(item, scope, made, others=len(items) - 1) for item in items]
    return Components(tuple(components), made.integrated, made.files, made.deltas)


def read_dependencies(place: Place | None, scope: Scope) -> Dependencies:
    """Read ``[[dependency]]``: the envelope of each is a file, from which its digest and its sections follow.

    Raises:
        ConfigError: a file that is no envelope, or whose manifest cannot be read; names the place.
    """
    made = Dependencies()
    pairs = [_dependency(item, scope, made) for item in ([] if place is None else place.items())]
    found = tuple([one for one, _ in pairs if one is not None])
    return Dependencies(found, tuple([prefix for _, prefix in pairs]), made.integrated)


def _component(place: Place, scope: Scope, made: Components, *, others: int) -> Component:
    table = place.table(_COMPONENT_KEYS)
    slots = _slots(table["slot"], scope, made) if "slot" in table else ()
    if slots and any(key in table for key in (*_IMAGE_KEYS, "download", "load_from", "encrypted")):
        raise table["slot"].refuse("expected the image in each slot, and none beside them")
    download = scope.index(table["download"]) if "download" in table else None
    load_from = scope.index(table["load_from"]) if "load_from" in table else None
    if "encrypted" in table:
        image, fetched, info = _encrypted(table, scope, made)
    else:
        image = _image_of(table, scope, made)
        fetched, info = image.parameters, b""
    if download is not None and not image.uri:
        raise table["download"].refuse("expected a uri with it, from which it is downloaded")
    if load_from is not None and image.uri:
        raise table["load_from"].refuse("expected no uri with it: it gets what the other component has")
    if "delta_from" in table:
        if others or image.uri not in {"", profile.IMAGE_URI} or "image" not in table or not image.uri or info:
            raise table["delta_from"].refuse("expected it beside the one image of the one component, fetched in clear")
        made.deltas.append((table["delta_from"].file(scope.files), table["image"].file(scope.files)))
    has_image = bool(image.parameters or slots)
    return Component(
        path=_identifier(table, scope),
        image=image.parameters,
        fetched=fetched,
        uri=image.uri,
        slots=slots,
        download=download,
        load_from=load_from,
        encryption_info=info,
        content=image.content,
        invoke=table["invoke"].flag() if "invoke" in table else has_image and not others,
        arguments=table["arguments"].octets(scope.files) if "arguments" in table else b"",
        uninstall=table["uninstall"].flag() if "uninstall" in table else False,
    )


def _identifier(table: dict[str, Place], scope: Scope) -> ComponentId:
    if "id" not in table:
        return (table["name"].text().encode(),) if "name" in table else profile.FIRMWARE
    segments = table["id"].items()
    if not segments:
        raise table["id"].refuse("expected a segment at least")
    return tuple([segment.octets(scope.files) for segment in segments])


def _image_of(table: dict[str, Place], scope: Scope, made: Components) -> _Image:
    """Digest and size come from the file, or are said where the image is not at hand."""
    if "image" not in table:
        parameters: dict[int, Any] = {}
        if "digest" in table:
            parameters[ParameterId.IMAGE_DIGEST.value] = read_digest(table["digest"], scope).encode()
        if "size" in table:
            parameters[ParameterId.IMAGE_SIZE.value] = table["size"].whole(0, _MAX_SIZE)
        if "integrated" in table:
            raise table["integrated"].refuse("expected an image with it, to travel in the envelope")
        return _Image(parameters, table["uri"].text() if "uri" in table else "")
    for key in ("digest", "size"):
        if key in table:
            raise table[key].refuse("expected none beside the image, from which it follows")
    image = table["image"].file(scope.files)
    return _carried(table, table["image"].text(), _about(image), image, made)


def _carried(
    table: dict[str, Place], name: str, parameters: dict[int, Any], payload: bytes, made: Components
) -> _Image:
    """Where a payload is on its way: in the envelope, or in a file beside it."""
    if "integrated" in table and table["integrated"].flag():
        uri = table["uri"].text() if "uri" in table else f"#{name}"
        if made.integrated.setdefault(uri, payload) != payload:
            raise table["integrated"].refuse("expected a uri of its own for each integrated payload")
        return _Image(parameters, uri)
    uri = table["uri"].text() if "uri" in table else _uri(table, name, made)
    made.files[name] = payload
    return _Image(parameters, uri)


def _uri(table: dict[str, Place], name: str, made: Components) -> str:
    """The first image is where it is when there is one alone; the others go by their file names."""
    if not made.files:
        return profile.IMAGE_URI
    try:
        return profile.image_uri(name)
    except DecodeError as error:
        place = table["encrypted"] if "encrypted" in table else table["image"]
        raise place.refuse(f"expected a uri with it, or another name: {error.message}") from None


def _encrypted(table: dict[str, Place], scope: Scope, made: Components) -> tuple[_Image, dict[int, Any], bytes]:
    """The image as it is in the end, what is fetched instead, and how the one becomes the other."""
    payload = scope.encryption(table["encrypted"])
    plain = _image_of(
        {key: value for key, value in table.items() if key in {"image", "digest", "size"}}, scope, Components()
    )
    if not plain.parameters:
        raise table["encrypted"].refuse("expected the image with it, or its digest and size")
    if "download" not in table:
        return _Image(plain.parameters, content=payload.ciphertext), {}, payload.info
    carried = _carried(table, f"{table['encrypted'].text()}.enc", plain.parameters, payload.ciphertext, made)
    return carried, _about(payload.ciphertext), payload.info


def _slots(place: Place, scope: Scope, made: Components) -> tuple[Slot, ...]:
    items = place.items()
    if len(items) < 2:
        raise place.refuse("expected two slots or more; one image for any place needs none")
    slots: list[Slot] = []
    for item in items:
        table = item.table(("number", *_IMAGE_KEYS), required=("number",))
        image = _image_of(table, scope, made)
        if not image.parameters or ("uri" not in table and "integrated" not in table):
            raise item.refuse("expected an image, or its digest and size, and a uri of its own")
        slots.append(Slot(table["number"].whole(0, _MAX_SLOT), image.parameters, image.uri))
    if len({slot.number for slot in slots}) < len(slots):
        raise place.refuse("expected each number once")
    return tuple(slots)


def _dependency(place: Place, scope: Scope, made: Dependencies) -> tuple[Dependency | None, ComponentId]:
    table = place.table(("name", "prefix", "manifest", "uri", "integrated"))
    prefix = tuple([segment.octets(scope.files) for segment in table["prefix"].items()]) if "prefix" in table else ()
    if "manifest" not in table:
        return None, prefix
    encoded = table["manifest"].file(scope.files)
    try:
        opened = envelope.decode(encoded)
        sections = frozenset(decode_manifest(opened).sequences)
    except (ProtocolError, SecurityError) as error:
        raise table["manifest"].refuse(f"expected a SUIT envelope: {error}") from None
    uri = table["uri"].text() if "uri" in table else f"#{table['manifest'].text()}"
    if "integrated" in table and table["integrated"].flag():
        made.integrated[uri] = encoded
    elif "uri" not in table:
        raise place.refuse("expected a uri, or integrated = true")
    return Dependency(opened.digest, len(encoded), uri, sections - {Member.DEPENDENCY_RESOLUTION}), prefix


def _about(image: bytes) -> dict[int, Any]:
    digest: Digest = digest_of(image)
    return {ParameterId.IMAGE_DIGEST.value: digest.encode(), ParameterId.IMAGE_SIZE.value: len(image)}
