"""Associations that get a fresh context from their Master Secret, in both roles (RFC 8613 appendix B.2).

For peers that share a secret and keep no state over a restart, or whose keys are worn; no number and no window has
to be on disk, since every start begins with keys that never were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from thingstead.endpoint.association import Association, Associations
from thingstead.endpoint.event import Address, AssociationId
from thingstead.errors import AuthenticationError, ThingsteadError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.oscore import rederivation
from thingstead.protocols.oscore.binding import RequestBinding
from thingstead.protocols.oscore.option import OscoreOption
from thingstead.protocols.oscore.protection import unprotect_request
from thingstead.protocols.oscore.rederivation import NONCE_SIZE, InputParameters, NonceMint, id_context_of
from thingstead.secret import Secret

__all__ = ["Rederivation", "rederived"]

_KEY_SIZE = 32


def rederived(
    name: AssociationId,
    parameters: InputParameters,
    random_bytes: Callable[[int], bytes],
    *,
    peer: object = None,
    scope: object = None,
    address: Address | None = None,
) -> Association:
    """An association whose first exchange, whoever begins it, derives its context."""
    context = rederivation.begin(parameters, random_bytes(NONCE_SIZE))
    return Association(name, context, peer, scope, address, with_kid_context=True, parameters=parameters)


class Rederivation:
    """Runs the exchange for all associations that allow it.

    Args:
        associations: the live ones.
        random_bytes: returns that many fresh random bytes.
        install: puts an association in the place of the one with its id.
    """

    __slots__ = ("_associations", "_install", "_mints", "_random_bytes")

    def __init__(
        self,
        associations: Associations,
        *,
        random_bytes: Callable[[int], bytes],
        install: Callable[[Association], None],
    ) -> None:
        self._associations = associations
        self._random_bytes = random_bytes
        self._install = install
        self._mints: dict[AssociationId, NonceMint] = {}

    def receive(
        self, message: Message, option: OscoreOption, source: Address
    ) -> Message | tuple[Association, Message, RequestBinding] | None:
        """Take a request under a context that is not installed.

        Returns:
            For a request #1 our response, protected; for a request #2 the association with its new context and the
            verified request; None for what is neither.
        """
        for association in self._associations.renewable(option.kid):
            try:
                return self._receive(association, message, option, source)
            except ThingsteadError:
                continue
        return None

    def renew(self, association: Association) -> None:
        """Begin anew, as a client, if the keys are worn."""
        if association.parameters is not None and association.context.is_worn:
            association.context = rederivation.begin(association.parameters, self._random_bytes(NONCE_SIZE))

    def follow(self, association: Association, message: Message, binding: RequestBinding) -> bool:
        """Whether a response says to ask again under a new context, which the association has from now on.

        Raises:
            ProtocolError, SecurityError: it only claims to.
        """
        if association.parameters is None or not isinstance(binding, RequestBinding):
            return False
        r3 = self._random_bytes(NONCE_SIZE)
        context = rederivation.follow(message, binding, association.parameters, r3)
        if context is None:
            return False
        # Another exchange may have been quicker; its context is as good, and the server knows one of them only.
        if association.context is binding.context:
            association.context = context
        return True

    def forget(self, association_id: AssociationId) -> None:
        """The association is gone or has its context: no R2 that was given is good any more."""
        self._mints.pop(association_id, None)

    def _receive(
        self, association: Association, message: Message, option: OscoreOption, source: Address
    ) -> Message | tuple[Association, Message, RequestBinding]:
        parameters = association.parameters
        if parameters is None:
            raise AuthenticationError("the association allows no new context", spec="RFC 8613 appendix B.2")
        id_context = id_context_of(option.kid_context)
        context = parameters.context(id_context)
        inner, binding = unprotect_request(message, context=context, option=option)
        mint = self._mints.get(association.id)
        if mint is None:
            mint = self._mints[association.id] = NonceMint(Secret(self._random_bytes(_KEY_SIZE)))
        place = repr(source).encode()
        if not mint.issued(id_context, place):
            return rederivation.answer(binding, parameters, mint.issue(self._random_bytes(NONCE_SIZE), place))
        # R2 came back from where it was sent, so the path is verified as well.
        fresh = replace(association, context=context, address=source)
        self._install(fresh)
        return fresh, inner, binding
