"""Everything that an operator may ask a running controller: one table from the areas' tables."""

from __future__ import annotations

from typing import Any

from thingstead.controller import (
    operation_access,
    operation_admission,
    operation_adoption,
    operation_assurance,
    operation_attestation,
    operation_backup,
    operation_campaign,
    operation_crypto,
    operation_data,
    operation_ddi,
    operation_detectors,
    operation_exposure,
    operation_group,
    operation_install_code,
    operation_ledger,
    operation_maintenance,
    operation_migration,
    operation_mud,
    operation_network,
    operation_osv,
    operation_owner,
    operation_ownership,
    operation_paths,
    operation_people,
    operation_policy,
    operation_publication,
    operation_response,
    operation_result,
    operation_software,
    operation_thing,
    operation_traffic,
    operation_type,
)
from thingstead.controller.brownfield import Brownfield
from thingstead.controller.controller import Controller
from thingstead.controller.ddi import ddi_origin
from thingstead.controller.gate import Gate
from thingstead.controller.learning import Learning
from thingstead.controller.lookout import doors, ground
from thingstead.controller.network import local_networks
from thingstead.controller.operation import Operation, Operations
from thingstead.controller.parting import Partings
from thingstead.domain.contact import Contact
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.network import ThingAddress
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

    async def note(operator: Operator, operation: str, arguments: dict[str, Any]) -> None:
        details: dict[str, Detail] = {name: str(value)[:_LONGEST] for name, value in arguments.items()}
        entry = Draft(clock.utc(), Kind.OPERATION, operator.actor, None, operation, details)
        await controller.foundation.store.commit(Unit(entries=(entry,)))

    return Operations(
        *_of_things(controller),
        *_of_admission(controller),
        *_of_planes(controller),
        *_of_the_domain(controller),
        on_refusal=count,
        on_deed=note,
    )


def _of_things(controller: Controller) -> tuple[Operation[Any], ...]:
    return (
        *operation_thing.rows(
            controller.register,
            controller.conductor,
            controller.kill_clock,
            partings=_partings(controller),
            heard_of=lambda thing: {
                "version": controller.planes.software.runs(thing).version,
                "last_heard": controller.ddi.last_heard(thing) or controller.server.last_acceptance(thing),
                "waits_for": controller.admission.waits(thing),
                **controller.ddi.told_of(thing),
                **operation_attestation.told_of(controller.attesting.verifier.of(thing)),
            },
            located=controller.planes.whereabouts.located,
        ),
        *operation_ownership.rows(
            controller.ownership,
            controller.register,
            controller.conductor,
            adoption=_adoption(controller),
            anchors=lambda: controller.owner.anchors,
            clock=controller.foundation.clock,
        ),
        *operation_attestation.rows(controller.attesting, controller.register),
        *operation_adoption.rows(
            _brownfield(controller),
            _learning(controller),
            controller.register,
            days=controller.foundation.config.watch.flow_days,
        ),
        *operation_ddi.rows(controller.devices, url=ddi_origin(controller.foundation.config.ddi)),
        *operation_maintenance.rows(
            controller.maintenance,
            controller.planes.permits,
            controller.register,
            operators=lambda: parse_operators(controller.foundation.files.operators_text(), user_id=user_id),
            holder_of=controller.planes.access.holder_of,
            domain=controller.foundation.config.domain.name,
        ),
    )


def _of_admission(controller: Controller) -> tuple[Operation[Any], ...]:
    people, clock = controller.people, controller.foundation.clock

    def count(actor: str, thing: ThingId, reason: str) -> None:
        controller.refusals.count(reason, at=clock.utc(), source=f"operator:{actor} about {thing}")

    return (
        *operation_admission.rows(
            controller.register,
            controller.admission,
            installers=people.installers,
            statements=people.statements,
            on_refusal=count,
        ),
        *operation_people.rows(people.installers, people.challenges, clock=clock),
        *operation_policy.rows(controller.admission, clock=clock),
        *operation_install_code.rows(controller.planes.codes),
    )


def _of_planes(controller: Controller) -> tuple[Operation[Any], ...]:
    planes = controller.planes
    return (
        *operation_access.rows(planes.tokens, clock=controller.foundation.clock),
        *operation_group.rows(planes.groups, serve=controller.group_resources.serve),
        *operation_software.rows(
            planes.software,
            planes.campaigns,
            policy=lambda: controller.owner.policy,
            network=controller.release_network,
        ),
        *operation_campaign.rows(
            planes.campaigns,
            planes.software,
            runs=planes.software.runs,
            heard=controller.server.last_acceptance,
            carried=planes.software.carried,
            clock=controller.foundation.clock,
        ),
        *operation_migration.rows(controller.migrations, controller.owner, controller.register),
        *operation_osv.rows(planes.software, controller.vulnerabilities),
        *operation_publication.rows(
            planes.software,
            planes.campaigns,
            policy=lambda: controller.owner.policy,
            network=controller.release_network,
        ),
        *operation_exposure.rows(
            controller.lookout.exposure,
            domain=controller.foundation.config.domain.name,
            clock=controller.foundation.clock,
        ),
        *operation_network.rows(controller.lookout.answers),
        *operation_paths.rows(planes.network, planes.software, controller.register, clock=controller.foundation.clock),
        *operation_mud.rows(
            controller.lookout.urls,
            planes.network,
            controller.register,
            anchors=lambda: controller.owner.anchors,
            devices=controller.lookout.neighbourhood.devices,
            clock=controller.foundation.clock,
        ),
        *operation_response.rows(controller.lookout.responder),
        *operation_detectors.rows(controller.lookout.traffic, controller.lookout.memory),
        *operation_result.rows(planes.software, controller.foundation.store, controller.notary),
        *operation_type.rows(controller.types, controller.register, controller.foundation.store, controller.notary),
        *operation_data.rows(planes.data, controller.register, forget=controller.lookout.history.forget),
        *operation_traffic.rows(
            controller.server, controller.resources, controller.bootstrap, controller.register, planes.data
        ),
    )


def _of_the_domain(controller: Controller) -> tuple[Operation[Any], ...]:
    foundation = controller.foundation
    return (
        *operation_owner.rows(controller.owner),
        *operation_ledger.rows(foundation.store, controller.notary),
        *operation_assurance.rows(controller.overview),
        *operation_crypto.rows(
            controller.overview, lambda: controller.admission.crypto, domain=foundation.config.domain.name
        ),
        *operation_backup.rows(
            controller.planes,
            controller.register,
            files=foundation.files,
            keys=foundation.keys,
            store=foundation.store,
            notary=controller.notary,
            delegations=lambda: controller.people.installers,
            domain=foundation.config.domain.name,
            clock=foundation.clock,
        ),
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


def _brownfield(controller: Controller) -> Brownfield:
    return Brownfield(
        controller.conductor,
        controller.register,
        vouch=controller.planes.network.vouch,
        place=controller.planes.whereabouts.place,
        network=controller.planes.network,
        located=controller.planes.whereabouts.located,
        ground=ground(controller.foundation),
        clock=controller.foundation.clock,
        random_bytes=controller.foundation.random_bytes,
    )


def _learning(controller: Controller) -> Learning:
    async def contacts(thing: ThingId, days: int) -> tuple[Contact, ...]:
        return await controller.lookout.history.of(thing, days=days)

    def locate(thing: ThingId) -> tuple[ThingAddress, ...]:
        return controller.planes.whereabouts.located().get(thing, ())

    foundation = controller.foundation
    config = foundation.config
    return Learning(
        contacts, locate=locate, local=local_networks(config.network), doors=doors(config), clock=foundation.clock
    )


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
