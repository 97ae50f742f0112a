"""Whether the maker vouches for a domain towards a thing; everything that is not sold is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from thingstead.crypto.key import PrivateKey
from thingstead.errors import DecodeError, ForbiddenError, UntrustedError
from thingstead.masa.record import Record, Vouched
from thingstead.masa.sales import Sale, Sales
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.lake_authz import voucher
from thingstead.protocols.lake_authz.message import DRAFT, VoucherRequest
from thingstead.protocols.lake_authz.voucher import Binding
from thingstead.protocols.profile import custody
from thingstead.protocols.profile.custody import Owner

__all__ = ["MAX_VOUCHERS", "Authority"]

MAX_VOUCHERS = 1000
"""Of one thing, in all: a domain that it was sold to cannot fill the disk with asking."""

_MAX_NAME = 64


class Authority:
    """The maker's decision, and the voucher that tells a thing of it.

    Args:
        maker: its name.
        key: PK_W's private half, which things have the public half of.
        sales: as the file says now; raises `ConfigError` when it cannot be read, which refuses everybody.
        record: what was vouched for.
    """

    def __init__(self, maker: str, key: PrivateKey, *, sales: Callable[[], Sales], record: Record) -> None:
        self._maker = maker
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

        In it the thing finds the first link of its chain of custody (docs/adr/0026). No key is answered under twice,
        not even the same question: two contents would share key and nonce.

        Args:
            request: as the domain sent it.
            domain: CRED_V, whose key the domain proved to us in this session.
            at: now.

        Raises:
            DecodeError: no thing of ours is called so, or several are (`reason` tells); or the domain has no name.
            ForbiddenError: it was not sold to this domain, has had too many vouchers, or the key was used.
            ConfigError, StorageError: our files fail us.
        """
        sale = self._require_sale(request.id_cred_i)
        thumbprint = cose_key.thumbprint(domain.public).hex()
        if thumbprint not in sale.to:
            raise ForbiddenError(f"{sale.serial} was not sold to this domain", reason="not sold")
        # Before anything is kept: what is no key of the curve is no request.
        key = voucher.answer_key(request.suite, request.ek_ct, self._key)
        link = self._first_link(sale.serial, domain, at=at)
        self._keep(request, serial=sale.serial, thumbprint=thumbprint, at=at)
        return voucher.issue(key, Binding(request.h_21, request.id_cred_i, domain.cred), opaque=link)

    def _first_link(self, serial: str, domain: Credential, *, at: datetime) -> bytes:
        name = ccs.decode(domain.cred).subject
        if not 0 < len(name) <= _MAX_NAME or not name.isprintable():
            raise DecodeError(f"expected a domain with a name of 1 to {_MAX_NAME} characters")
        owner, to = Owner(self._maker, self._key.public), Owner(name, domain.public)
        return custody.extend(custody.head(b"", ()), serial=serial, owner=owner, to=to, at=at, key=self._key)

    def _require_sale(self, id_cred_i: bytes) -> Sale:
        match self._sales().find(id_cred_i):
            case (sale,):
                return sale
            case ():
                raise DecodeError("no thing of this name was sold", spec=f"{DRAFT} §5.4.1", reason="unknown thing")
            case several:
                named = ", ".join([sale.serial for sale in several[:4]])
                raise DecodeError(f"several things are called so: {named}", spec=f"{DRAFT} §3.1", reason="ambiguous")

    def _keep(self, request: VoucherRequest, *, serial: str, thumbprint: str, at: datetime) -> None:
        ek_ct = request.ek_ct.hex()
        if self._record.is_used(ek_ct):
            raise ForbiddenError(f"another voucher of {serial} is under this key already", reason="used key")
        if self._record.count(serial) >= MAX_VOUCHERS:
            raise ForbiddenError(f"{serial} has had {MAX_VOUCHERS} vouchers", reason="too many")
        self._record.add(Vouched(at.isoformat(timespec="seconds"), serial, thumbprint, ek_ct))
