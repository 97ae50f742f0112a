"""Whose DNS names are: by the list of suffixes under which others register, as it came with the installed library."""

from __future__ import annotations

from functools import cache

from publicsuffixlist import PublicSuffixList

from thingstead.domain.name import Holder

__all__ = ["PublicSuffixes"]


class PublicSuffixes:
    """Reads the list (publicsuffix.org) when it is first asked: that takes a tenth of a second, and many never ask."""

    def read(self) -> None:
        """Read it now, for this process and those that it begins: they may have users who cannot read the library."""
        _suffixes(only_icann=False)
        _suffixes(only_icann=True)

    def holder(self, name: str) -> Holder:
        """Who registered a name, and whose suffix it is under where that is a company's and not a registry's."""
        suffixes = _suffixes(only_icann=False)
        suffix = suffixes.publicsuffix(name)
        if not isinstance(suffix, str):
            return Holder(name)
        owner = suffixes.privatesuffix(name)
        landlord = "" if suffix == _suffixes(only_icann=True).publicsuffix(name) else suffix
        return Holder(owner if isinstance(owner, str) else name, landlord)


@cache
def _suffixes(*, only_icann: bool) -> PublicSuffixList:
    return PublicSuffixList(only_icann=only_icann)
