"""Whether the maker vouches for a domain towards a thing; everything that is not sold is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from thingstead.crypto.digest import digest
from thingstead.crypto.key import PrivateKey
from thingstead.errors import DecodeError, ForbiddenError, UntrustedError
from thingstead.masa.record import Record, Vouched
from thingstead.masa.sales import Sale, Sales
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.lake_authz import voucher
from thingstead.protocols.lake_authz.message import DRAFT, VoucherRequest
from thingstead.protocols.lake_authz.voucher import Binding

__all__ = ["MAX_VOUCHERS", "Authority"]

MAX_VOUCHERS = 1000
"""Of one thing, in all: a domain that it was sold to cannot fill the disk with asking."""


class Authority:
    """The maker's decision, and the voucher that tells a thing of it.

    Args:
        key: PK_W's private half, which things have the public half of.
        sales: as the file says now; raises `ConfigError` when it cannot be read, which refuses everybody.
        record: what was vouched for.
    """

    def __init__(self, key: PrivateKey, *, sales: Callable[[], Sales], record: Record) -> None:
        self._key = key
        self._sales = sales
        self._record = record

    def require_customer(self, domain: Credential) -> None:
        """Nobody holds a session here to whom nothing was sold.

        Raises:
            UntrustedError: nothing was.
            ConfigError: the sales file cannot be read.
        """
        if not self._sales().has_customer(cose_key.thumbprint(domain.public)):
            raise UntrustedError("nothing was sold to the domain of this key", reason="no customer")

    def vouch(self, request: VoucherRequest, domain: Credential, *, at: datetime) -> bytes:
        """Decide, keep what was decided, and make the voucher (draft-ietf-lake-authz-07 §4.5).

        An answer that was lost is given again. Another question under the same ephemeral key is not answered: the two
        vouchers would share key and nonce.

        Args:
            request: as the domain sent it.
            domain: CRED_V, whose key the domain proved to us in this session.
            at: now.

        Raises:
            DecodeError: no thing of ours is called so, or several are (`reason` tells).
            ForbiddenError: it was not sold to this domain, has had too many vouchers, or the key was used.
            ConfigError, StorageError: our files fail us.
        """
        sale = self._require_sale(request.id_cred_i)
        thumbprint = cose_key.thumbprint(domain.public).hex()
        if thumbprint not in sale.to:
            raise ForbiddenError(f"{sale.serial} was not sold to this domain", reason="not sold")
        # Before anything is kept: what is no key of the curve is no request.
        key = voucher.answer_key(request.suite, request.ek_ct, self._key)
        self._keep(request, domain, serial=sale.serial, thumbprint=thumbprint, at=at)
        return voucher.issue(key, Binding(request.h_21, request.id_cred_i, domain.cred))

    def _require_sale(self, id_cred_i: bytes) -> Sale:
        match self._sales().find(id_cred_i):
            case (sale,):
                return sale
            case ():
                raise DecodeError("no thing of this name was sold", spec=f"{DRAFT} §5.4.1", reason="unknown thing")
            case several:
                named = ", ".join([sale.serial for sale in several[:4]])
                raise DecodeError(f"several things are called so: {named}", spec=f"{DRAFT} §3.1", reason="ambiguous")

    def _keep(self, request: VoucherRequest, domain: Credential, *, serial: str, thumbprint: str, at: datetime) -> None:
        asked, ek_ct = digest(request.encode() + domain.cred).hex(), request.ek_ct.hex()
        known = self._record.request_under(ek_ct)
        if known == asked:
            return
        if known is not None:
            raise ForbiddenError(f"another voucher of {serial} is under this key already", reason="used key")
        if self._record.count(serial) >= MAX_VOUCHERS:
            raise ForbiddenError(f"{serial} has had {MAX_VOUCHERS} vouchers", reason="too many")
        self._record.add(Vouched(at.isoformat(timespec="seconds"), serial, thumbprint, ek_ct, asked))
