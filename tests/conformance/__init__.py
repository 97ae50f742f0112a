"""Run folders of published vectors: ``python -m tests.conformance DIR [--json]``.

A folder holds MANIFEST.json, a list of ``{"area", "file", "cases", "source"}``; a file with no cases is
a companion of another. An area is covered by ``areas/<area, with _ for ->.py``, which has

    def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]

and yields one outcome for each case of the file, whatever the file holds.
"""
