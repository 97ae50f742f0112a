"""What EDHOC promises."""

from typing import Any

from tests.sabotage.replacement import Sabotage, accepts, argument, returns


class _ClearCipher:
    """Looks like a cipher and hides nothing; the tag is zeros."""

    def encrypt(self, _nonce: bytes, plaintext: bytes, _aad: bytes) -> bytes:
        return plaintext + bytes(8)

    def decrypt(self, _nonce: bytes, ciphertext: bytes, _aad: bytes) -> bytes:
        return ciphertext[:-8]


def _without_agreement(extract: Any) -> Any:
    """What two ephemeral keys agree on is left out: the transcript alone makes the keys."""
    return lambda suite, salt, shared: extract(suite, salt, type(shared)(bytes(32)))


_P = "thingstead.protocols.edhoc."
_I = "thingstead.planes.identity.install_codes:InstallCodes."

ROWS = (
    Sabotage("R-87", "thingstead.protocols.edhoc.key_exchange:_both", argument(0), "both secrets make the key"),
    Sabotage(
        "R-87",
        "thingstead.domain.crypto_policy:suites_of_joins",
        argument(1),
        "a domain takes joins as its owner says",
    ),
    Sabotage("R-27", _P + "authentication:verify_proof", accepts, "MAC and signature are checked"),
    Sabotage("R-27", "thingstead.crypto.certificate:verify_chain", returns(()), "a certificate leads to an anchor"),
    Sabotage("R-27", _P + "session:require_other", accepts, "our own key is nobody else's"),
    Sabotage("R-25", _P + "schedule:mix", _without_agreement, "keys that are gone made the messages"),
    Sabotage("R-36", _P + "pending:PendingSessions._to_evict", returns(None), "half-open sessions have a bound"),
    Sabotage("R-28", _I + "_require_open", accepts, "an install code is used once, in time, by few tries"),
    Sabotage("R-28", _I + "has_open", returns(True), "without a code of the owner nobody is asked for one"),
    Sabotage("R-61", _P + "schedule:_cipher", returns((_ClearCipher(), b"", b"")), "message_3 hides the thing"),
    Sabotage("R-61", _P + "schedule:apply_keystream", argument(3), "message_2 hides the credential"),
)
