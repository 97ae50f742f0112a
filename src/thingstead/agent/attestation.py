"""How a thing attests: it measures what its active slots hold and signs that for the nonce that it was asked with.

The measurement is made anew each time, of what is there: nothing that an update wrote down about itself is believed.
"""

from __future__ import annotations

from collections.abc import Callable

from thingstead.agent.image import obeyed
from thingstead.agent.ports import Slots
from thingstead.agent.update_attempt import active_images
from thingstead.crypto.key import PrivateKey
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import ForbiddenError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile import attestation, path
from thingstead.protocols.profile.attestation import State
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.suit.digest import decode_digest

__all__ = ["Attester"]

_EAT = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.EAT_CWT))]


class Attester:
    """Answers for what runs.

    Args:
        slots: where it is.
        birth: vendor and class of the thing.
        key: the identity key, asked each time.
    """

    def __init__(self, slots: Slots, birth: Birth, *, key: Callable[[], PrivateKey]) -> None:
        self._slots = slots
        self._birth = birth
        self._key = key

    def serve(self, resources: Resources) -> None:
        """Register the resource; it answers the domain alone."""

        def attest(call: Call) -> Message:
            if call.event.association is None:
                raise ForbiddenError("expected the domain itself, not a member of a group", spec="RFC 9334 §5.2")
            nonce = attestation.decode_request(call.request.payload)
            return Message(Code.CHANGED, options=_EAT, payload=self.evidence(nonce))

        resources.register(path.ATTESTATION, Code.POST, attest)

    def evidence(self, nonce: bytes) -> bytes:
        """Signed evidence for a nonce."""
        return attestation.sign_state(self._state(), self._key(), nonce=nonce)

    def _state(self) -> State:
        standing = self._slots.standing()
        release = standing.trial or standing.installed
        images = active_images(self._slots)
        manifest = decode_digest(codec.decode(release.manifest_digest)).value if release.manifest_digest else b""
        header = obeyed(self._slots)
        return State(
            self._birth.vendor_id,
            self._birth.class_id,
            {attestation.component_name(component): digest.value for component, digest in images.items()},
            manifest,
            {attestation.FIRMWARE: header.version},
        )
