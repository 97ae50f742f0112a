"""Everything that an operator may ask a running controller: one table from the areas' tables."""

from __future__ import annotations

from typing import Any

from thingstead.controller import (
    operation_access,
    operation_admission,
    operation_assurance,
    operation_backup,
    operation_data,
    operation_group,
    operation_install_code,
    operation_ledger,
    operation_maintenance,
    operation_owner,
    operation_ownership,
    operation_people,
    operation_policy,
    operation_software,
    operation_thing,
    operation_traffic,
)
from thingstead.controller.controller import Controller
from thingstead.controller.gate import Gate
from thingstead.controller.operation import Operations
from thingstead.controller.parting import Partings
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.role import Operator
from thingstead.domain.unit import Unit
from thingstead.identifier import KeyId, ThingId
from thingstead.phases.adoption import Adoption
from thingstead.protocols.coap.message import Message
from thingstead.storage.operator_file import parse_operators
from thingstead.transport.control_socket import user_id

__all__ = ["gate", "operations"]

_LONGEST = 120


def operations(controller: Controller) -> Operations:
    """Everything an operator may ask, one table from the areas' tables."""
    clock = controller.foundation.clock

    def count(operator: Operator) -> None:
        controller.refusals.count("role", at=clock.utc(), source=f"operator:{operator.actor}")

    def count_approval(actor: str, thing: ThingId, reason: str) -> None:
        controller.refusals.count(reason, at=clock.utc(), source=f"operator:{actor} about {thing}")

    async def note(operator: Operator, operation: str, arguments: dict[str, Any]) -> None:
        details: dict[str, Detail] = {name: str(value)[:_LONGEST] for name, value in arguments.items()}
        entry = Draft(clock.utc(), Kind.OPERATION, operator.actor, None, operation, details)
        await controller.foundation.store.commit(Unit(entries=(entry,)))

    return Operations(
        *operation_thing.rows(
            controller.register,
            controller.conductor,
            controller.kill_clock,
            partings=_partings(controller),
            heard_of=lambda thing: {
                "version": controller.planes.software.runs(thing).version,
                "last_heard": controller.server.last_acceptance(thing),
                "waits_for": controller.admission.waits(thing),
            },
        ),
        *operation_install_code.rows(controller.planes.codes),
        *operation_admission.rows(
            controller.register,
            controller.admission,
            installers=controller.people.installers,
            statements=controller.people.statements,
            on_refusal=count_approval,
        ),
        *operation_people.rows(controller.people.installers, controller.people.challenges, clock=clock),
        *operation_ownership.rows(
            controller.ownership,
            controller.register,
            controller.conductor,
            adoption=_adoption(controller),
            anchors=lambda: controller.owner.anchors,
            clock=clock,
        ),
        *operation_data.rows(controller.planes.data, controller.register),
        *operation_software.rows(controller.planes.software),
        *operation_traffic.rows(
            controller.server,
            controller.resources,
            controller.bootstrap,
            controller.register,
            controller.planes.data,
        ),
        *operation_ledger.rows(controller.foundation.store, controller.notary),
        *operation_assurance.rows(controller.overview),
        *operation_owner.rows(controller.owner),
        *operation_policy.rows(controller.admission, clock=clock),
        *operation_group.rows(controller.planes.groups, serve=controller.group_resources.serve),
        *operation_access.rows(controller.planes.tokens, clock=clock),
        *operation_maintenance.rows(
            controller.maintenance,
            controller.planes.permits,
            controller.register,
            operators=lambda: parse_operators(controller.foundation.files.operators_text(), user_id=user_id),
            holder_of=controller.planes.access.holder_of,
            domain=controller.foundation.config.domain.name,
        ),
        *operation_backup.rows(
            controller.planes,
            controller.register,
            files=controller.foundation.files,
            keys=controller.foundation.keys,
            store=controller.foundation.store,
            notary=controller.notary,
            delegations=lambda: controller.people.installers,
            domain=controller.foundation.config.domain.name,
            clock=clock,
        ),
        on_refusal=count,
        on_deed=note,
    )


def gate(controller: Controller) -> Gate:
    """The way in for people: who they are, and then the table."""
    clock, files = controller.foundation.clock, controller.foundation.files

    def count(reason: str) -> None:
        controller.refusals.count(reason, at=clock.utc(), source="operator:unknown")

    return Gate(
        operations(controller),
        controller.people.challenges,
        installers=controller.people.installers,
        operators=lambda: parse_operators(files.operators_text(), user_id=user_id),
        on_refusal=count,
    )


def _adoption(controller: Controller) -> Adoption:
    foundation = controller.foundation

    async def ask(thing: ThingId, message: Message, within: float) -> Message:
        return await controller.server.request(thing, message, within=within)

    owner = foundation.keys.handle(KeyId("domain"))
    return Adoption(ask, domain=foundation.config.domain.name, owner=owner, clock=foundation.clock)


def _partings(controller: Controller) -> Partings:
    foundation = controller.foundation
    return Partings(
        controller.register,
        controller.conductor,
        controller.kill_clock,
        decommission=controller.decommission,
        seller=operation_ownership.seller(
            foundation.store,
            controller.notary,
            key=foundation.keys.handle(KeyId("domain")),
            ledger_key=foundation.keys.handle(KeyId("ledger")).public,
            domain=foundation.config.domain.name,
        ),
        size=lambda: controller.notary.size,
    )
