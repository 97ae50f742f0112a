"""How a thing and a domain that no maker vouches for come to know each other: by the code on the thing's label."""

from __future__ import annotations

from thingstead.agent.handshake import edhoc_answer, edhoc_request, telling
from thingstead.agent.ports import Home
from thingstead.agent.story import Story
from thingstead.crypto.key import PublicKey, generate
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.psk_initiator import PskInitiator, PskMessage2Received
from thingstead.protocols.profile import install_code, join
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

    def story(self, code: InstallCode, connection_id: bytes) -> Story:
        """Show who we are under the code, and learn whose domain this is (draft-ietf-lake-edhoc-psk-08).

        The domain answers this thing and no other by the code from then on; what is lost on the way is asked for anew.

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
            ead_labels=install_code.EAD_LABELS,
        )
        message_1, waiting = initiator.message_1()
        answer = yield edhoc_request(coap_carriage.frame_message_1(message_1))
        offered = waiting.receive(edhoc_answer(answer))
        yield from telling(offered.c_r, self._conclude(offered))

    def _conclude(self, offered: PskMessage2Received) -> Story:
        """From message_2 on, of which nothing is proven before message_4."""
        message_3, last = offered.message_3(join.identity_item(self._birth.maker_identity))
        answer = yield edhoc_request(coap_carriage.frame_message_3(offered.c_r, message_3))
        credential = join.decode_identity(last.receive(edhoc_answer(answer)).ead_4)
        ccs.decode(credential)
        self._home.save(_DOMAIN, credential)
        self._home.delete(INSTALL_CODE)
