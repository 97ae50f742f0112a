"""A release installed on paper, by the same manifest processor as on things: what they would refuse is refused here.

What is encrypted for things the domain cannot read. It compares the ciphertext, believes the digest that the maker
signed of the plaintext, and holds against that digest what things report.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile.release import FIRMWARE, STAGING
from thingstead.protocols.suit.digest import Digest, digest_of
from thingstead.protocols.suit.effect import CheckImageMatch, CopyComponent, Effect, Fetch, SetActive, Write
from thingstead.protocols.suit.manifest import ComponentId

__all__ = ["COMPONENTS", "rehearse"]

COMPONENTS: frozenset[ComponentId] = frozenset({FIRMWARE, STAGING})
"""What every thing has, and where it puts what it has to decrypt."""

_NONE: Mapping[str, bytes] = MappingProxyType({})


def rehearse(steps: Generator[Effect, Any, None], image: bytes, further: Mapping[str, bytes] = _NONE) -> Digest:
    """Execute on paper; gives what the firmware of a thing then measures.

    Args:
        steps: of the update procedure.
        image: what is to be published; all that the release fetches is that, and what goes beside it.
        further: images beside it, by file name.

    Raises:
        AuthenticationError: the release installs another image.
        DecodeError: the image has another size than the manifest says.
        UnsupportedError: a step that no thing here takes.
    """
    run = _Rehearsal({"": image, **further})
    answer: bool | None = None
    while True:
        try:
            effect = steps.send(answer)
        except StopIteration:
            return run.installed
        answer = run.execute(effect)


class _Rehearsal:
    def __init__(self, images: Mapping[str, bytes]) -> None:
        self._images = images
        self._image = image = images[""]
        self._candidates: dict[ComponentId, bytes] = {}
        self._sealed: dict[ComponentId, Digest | None] = {}
        self.installed = digest_of(image)

    def execute(self, effect: Effect) -> bool | None:
        match effect:
            case Fetch(component=component, uri=uri, size=size, arguments=b"") if self._find(uri) is not None:
                image = self._find(uri) or b""
                if len(image) != size:
                    raise DecodeError(f"expected an image of {size} bytes, got {len(image)}", reason="size")
                self._put(component, image)
            case Write(component=component, encryption_info=info) if info:
                self._seal(component)
            case Write(component=component, content=content):
                # A difference is to an image that is not here: it does not match, and the next way is tried.
                self._put(component, content)
            case CopyComponent(component=component, source=source, encryption_info=info) if source in self._candidates:
                if info:
                    self._seal(component)
                else:
                    self._put(component, self._candidates[source])
            case CheckImageMatch():
                return self._matches(effect)
            case SetActive():
                self._require_same()
            case _:
                raise UnsupportedError(
                    f"expected a manifest that fetches {profile.IMAGE_URI}, it asks for {effect!r:.80}",
                    reason="command",
                )
        return None

    def _find(self, uri: str) -> bytes | None:
        name = profile.image_name(uri)
        return None if name is None else self._images.get(name)

    def _put(self, component: ComponentId, content: bytes) -> None:
        self._candidates[component] = content
        self._sealed.pop(component, None)

    def _seal(self, component: ComponentId) -> None:
        self._candidates.pop(component, None)
        self._sealed[component] = None

    def _matches(self, effect: CheckImageMatch) -> bool:
        if effect.component in self._sealed:
            self._sealed[effect.component] = effect.digest
            return True
        candidate = self._candidates.get(effect.component)
        if candidate is None or effect.size not in {None, len(candidate)}:
            return False
        return digest_of(candidate, effect.digest.algorithm_id) == effect.digest

    def _require_same(self) -> None:
        sealed = self._sealed.get(FIRMWARE)
        if sealed is None and self._candidates.get(FIRMWARE) != self._image:
            raise AuthenticationError("the release installs another image", reason="image-digest")
        if sealed is not None and self._image not in self._candidates.values():
            raise AuthenticationError("the release installs another image", reason="image-digest")
        if sealed is not None and sealed.algorithm_id != AlgorithmId.SHA_256:
            raise UnsupportedError("expected SHA-256 of what is encrypted, as things report it", reason="image-digest")
        self.installed = digest_of(self._image) if sealed is None else sealed
