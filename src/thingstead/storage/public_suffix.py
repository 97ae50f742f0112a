"""Whose DNS names are: by the list of suffixes under which others register, as it came with the installed library."""

from __future__ import annotations

from functools import cached_property

from publicsuffixlist import PublicSuffixList

from thingstead.domain.name import Holder

__all__ = ["PublicSuffixes"]


class PublicSuffixes:
    """Reads the list (publicsuffix.org) when it is first asked: that takes a tenth of a second, and many never ask."""

    @cached_property
    def _all(self) -> PublicSuffixList:
        return PublicSuffixList()

    @cached_property
    def _of_registries(self) -> PublicSuffixList:
        return PublicSuffixList(only_icann=True)

    def holder(self, name: str) -> Holder:
        """Who registered a name, and whose suffix it is under where that is a company's and not a registry's."""
        suffix = self._all.publicsuffix(name)
        if not isinstance(suffix, str):
            return Holder(name)
        owner = self._all.privatesuffix(name)
        landlord = "" if suffix == self._of_registries.publicsuffix(name) else suffix
        return Holder(owner if isinstance(owner, str) else name, landlord)
