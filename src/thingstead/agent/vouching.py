"""How a thing that was made before it was sold asks its maker's server about a domain, through that domain.

::

    thing (U)                        domain (V)                     maker's server (W)
      | EAD_3: Voucher_Info ----------> |                                 |
      |                                 | Voucher_Request --------------> |
      |                                 | <-------------- Voucher_Response|
      | <-------------- EAD_4: Voucher  |

(draft-ietf-lake-authz-07 §4.3, §4.4.) Inside the voucher is the first link of the thing's chain of custody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thingstead.crypto.key import generate
from thingstead.errors import UntrustedError
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.protocols.lake_authz import voucher
from thingstead.protocols.lake_authz.message import DRAFT, VOUCHER, VoucherInfo
from thingstead.protocols.lake_authz.voucher import Binding, VoucherKey
from thingstead.protocols.profile import join
from thingstead.protocols.profile.maker_server import MakerServer

__all__ = ["Question", "Session", "ask"]


@dataclass(frozen=True, slots=True)
class Session:
    """A handshake up to message_2, to which a voucher is bound.

    Attributes:
        suite: selected.
        message_1: as sent.
        message_2: as received.
    """

    suite: CipherSuite
    message_1: bytes
    message_2: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, and what opens the answer.

    Attributes:
        info: for EAD_3.
        key: of this question alone.
        binding: session, thing and domain.
    """

    info: VoucherInfo
    key: VoucherKey
    binding: Binding

    def item(self) -> EadItem:
        """The critical item of EAD_3."""
        return self.info.item()

    def answer(self, ead_4: Sequence[EadItem]) -> bytes:
        """Verify the voucher in EAD_4; returns what the server says to us in it.

        Raises:
            UntrustedError: there is none, or several, or nothing in it.
            AuthenticationError: for another session, thing or domain, or not of our maker's server.
            DecodeError: malformed.
        """
        match join.values_of(ead_4, VOUCHER):
            case [shown]:
                said = voucher.authenticate(shown, self.key, self.binding).opaque
            case others:
                raise UntrustedError(
                    f"expected the voucher that was asked for in EAD_4, got {len(others)}",
                    spec=f"{DRAFT} §4.4.4",
                    reason="no voucher",
                )
        if said is None:
            raise UntrustedError("the voucher does not say whose the thing is", reason="custody")
        return said


def ask(server: MakerServer, session: Session, *, own: Credential, domain: Credential) -> Question:
    """Begin a question, with a fresh key (draft-ietf-lake-authz-07 §4.3.1).

    Args:
        server: from the birth record.
        session: with the domain.
        own: CRED_I.
        domain: CRED_R, whose key the domain has proven.

    Raises:
        UnsupportedError: a suite of another curve than the server's key.
    """
    ek_ct, key = voucher.begin(session.suite, server.voucher_key, generate)
    h_21 = voucher.session_hash(session.suite, session.message_1, session.message_2)
    return Question(VoucherInfo(server.location, ek_ct), key, Binding(h_21, own.id_cred, domain.cred))
