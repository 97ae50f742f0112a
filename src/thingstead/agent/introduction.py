"""How a thing and a domain that no maker vouches for come to know each other: by the code on the thing's label."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from thingstead.agent.ports import Home
from thingstead.agent.story import Request
from thingstead.crypto.key import PublicKey, generate
from thingstead.errors import DecodeError
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.psk_initiator import PskInitiator
from thingstead.protocols.profile import install_code, join, path
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.install_code import InstallCode
from thingstead.secret import Secret

__all__ = ["INSTALL_CODE", "Introduction"]

INSTALL_CODE = "install-code"
"""Name of the code in the thing's home; gone once it was used."""

_DOMAIN = "introduced-to"


class Introduction:
    """Keeps the code until it was used, and whom it led to from then on.

    Args:
        home: where.
        birth: what the maker gave.
    """

    def __init__(self, home: Home, birth: Birth) -> None:
        self._home = home
        self._birth = birth

    def domain(self) -> PublicKey | None:
        """Key of the domain that a code led to; it needs no voucher."""
        credential = self._home.load(_DOMAIN)
        return None if credential is None else ccs.decode(credential).public

    def code(self) -> InstallCode | None:
        """The code, if there is one that was not used."""
        value = self._home.load(INSTALL_CODE)
        return None if value is None else InstallCode(Secret(value))

    def story(self, code: InstallCode, connection_id: bytes) -> Generator[Request, Any, None]:
        """Show who we are under the code, and learn whose domain this is (draft-ietf-lake-edhoc-psk-08).

        The domain has used the code up before it answers; whoever dies then needs another one.

        Raises:
            SecurityError, ProtocolError: the domain does not hold the code, or does not take it any more.
            TransportError: no answer.
            StorageError: the disk does not keep whom it led to.
        """
        initiator = PskInitiator(
            suites=join.SUITES,
            shared=install_code.shared_credential(install_code.kid_of(code), install_code.key_of(code)),
            connection_id=connection_id,
            ephemeral=generate,
            ead_labels=join.EAD_LABELS,
        )
        message_1, waiting = initiator.message_1()
        answer = yield _post(coap_carriage.frame_message_1(message_1))
        offered = waiting.receive(_payload(answer))
        message_3, last = offered.message_3(join.identity_item(self._birth.maker_identity))
        answer = yield _post(coap_carriage.frame_message_3(offered.c_r, message_3))
        credential = join.decode_identity(last.receive(_payload(answer)).ead_4)
        ccs.decode(credential)
        self._home.save(_DOMAIN, credential)
        self._home.delete(INSTALL_CODE)


def _post(payload: bytes) -> Request:
    message = request(Code.POST, path.EDHOC, payload=payload, content_format=ContentFormat.CID_EDHOC_CBOR_SEQ)
    return Request(message, protected=False)


def _payload(answer: Message) -> bytes:
    if answer.code != Code.CHANGED:
        raise DecodeError(
            f"expected the domain to know the install code, it refused with code {code_name(answer.code)}",
            reason="refused",
        )
    return answer.payload
