"""What detectors learn over days outlasts a restart: in one document, taken up whole or not at all."""

from __future__ import annotations

import logging

from thingstead.controller.traffic_watch import TrafficWatch
from thingstead.domain.ports import Records
from thingstead.errors import DecodeError

__all__ = ["DOCUMENTS", "DetectorMemory"]

_LOGGER = logging.getLogger(__name__)
DOCUMENTS = "@detectors/"
"""What the key of its document begins with; it stays with the controller."""

_KEY = "memory"


class DetectorMemory:
    """Has the watch go on from where it was, and keeps where it is.

    Args:
        watch: whose detectors; it has not begun.
        records: the document.

    Attributes:
        said: what became of the document at our start, in one sentence.
    """

    def __init__(self, watch: TrafficWatch, records: Records) -> None:
        self._watch = watch
        self._records = records
        self.said = self._taken_up(records.load().get(_KEY))

    async def keep(self) -> None:
        """Write it down as it stands.

        Raises:
            StorageError: it was not kept, and what was kept before stands.
        """
        document = self._watch.kept()
        if document is not None:
            await self._records.write({_KEY: document})

    def _taken_up(self, document: bytes | None) -> str:
        if document is None:
            return "nothing was remembered: detectors begin anew"
        try:
            at = self._watch.take_up(document)
        except DecodeError as error:
            said = f"what detectors remembered is damaged, and they begin anew: {error}"
            _LOGGER.warning("%s", said)
            return said
        return f"detectors go on from what they remembered at {at.isoformat()}"
