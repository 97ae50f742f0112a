"""The keys of one OSCORE context, in the file forms of the peers (RFC 8613 §3.2)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.rederivation import InputParameters
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

__all__ = ["Keys"]

# The keys of RFC 8613 appendix C.1: published, they protect nothing.
_SECRET, _SALT = bytes(range(1, 17)), bytes.fromhex("9e7ca92223786340")
_OURS, _THEIRS = b"\x01", b"\x02"


@dataclass(frozen=True, slots=True)
class Keys:
    """What both ends are given.

    Attributes:
        secret: Master Secret.
        id_context: ID Context, where there is one.
        is_renewed: both derive fresh contexts with random ID Contexts (RFC 8613 appendix B.2).
    """

    secret: bytes = _SECRET
    id_context: bytes | None = None
    is_renewed: bool = False

    def wrong(self) -> Keys:
        """The same identifiers over another Master Secret."""
        return replace(self, secret=self.secret[::-1])

    def ours(self, *, window: ReplayWindow | None = None, sequence: SequenceNumbers | None = None) -> SecurityContext:
        """Our end, with the state of an earlier life if there was one."""
        return SecurityContext.derive(
            Secret(self.secret),
            master_salt=_SALT,
            sender_id=_OURS,
            recipient_id=_THEIRS,
            id_context=self.id_context,
            window=window,
            sequence=sequence or SequenceNumbers(reserved=0),
        )

    def parameters(self) -> InputParameters:
        """What our end derives fresh contexts from."""
        return InputParameters(Secret(self.secret), _OURS, _THEIRS, _SALT)

    def as_uoscore(self) -> tuple[bytes, bytes, bytes, bytes, bytes]:
        """Master Secret, Master Salt, Sender ID, Recipient ID and ID Context of the peer's end."""
        return self.secret, _SALT, _THEIRS, _OURS, self.id_context or b""

    def as_aiocoap(self, folder: Path) -> Path:
        """Write the peer's end as aiocoap keeps it; its numbers stay beside it."""
        settings = {
            "sender-id_hex": _THEIRS.hex(),
            "recipient-id_hex": _OURS.hex(),
            "secret_hex": self.secret.hex(),
            "salt_hex": _SALT.hex(),
        }
        if self.id_context is not None:
            settings["id-context_hex"] = self.id_context.hex()
        folder.mkdir(exist_ok=True)
        (folder / "settings.json").write_text(json.dumps(settings))
        return folder

    def as_libcoap(self, file: Path) -> Path:
        """Write the peer's end as libcoap reads it (coap-oscore-conf(5))."""
        values = {"master_secret": self.secret, "master_salt": _SALT, "sender_id": _THEIRS, "recipient_id": _OURS}
        if self.id_context is not None:
            values["id_context"] = self.id_context
        lines = [f'{name},hex,"{value.hex()}"\n' for name, value in values.items()]
        file.write_text("".join(lines + ["rfc8613_b_2,bool,true\n"] * self.is_renewed))
        return file
