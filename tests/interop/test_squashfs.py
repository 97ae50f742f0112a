"""Images that mksquashfs made, unmodified, are looked through."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from tests.conftest import require
from thingstead.planes.software.image_scan import scan

pytestmark = pytest.mark.interop


@pytest.mark.requirement("R-88")
@pytest.mark.parametrize("compression", ["gzip", "xz"])
def test_a_key_in_a_file_system_is_found(tmp_path, compression):
    program = shutil.which("mksquashfs")
    require(program is not None, "mksquashfs", "apt-get install squashfs-tools")
    tree = tmp_path / "tree"
    tree.mkdir()
    begin, end = (f"-----{word} PRIVATE KEY-----\n" for word in ("BEGIN", "END"))
    body = "".join(random.Random(7).choice("ABCDEFGHabcdefgh0123456789+/") for _ in range(1600))
    lines = [f"# setting {number} is left as it was\n" for number in range(9000)]
    (tree / "config").write_text("".join(lines[:4000]) + begin + body + "\n" + end + "".join(lines[4000:]))
    image = tmp_path / "root.squashfs"
    made = [program, str(tree), str(image), "-comp", compression, "-quiet", "-no-progress", "-all-root"]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    data = image.read_bytes()
    assert begin.encode() not in data
    assert [one.what for one in scan(bytes(64) + data) if "squashfs" in one.what]
