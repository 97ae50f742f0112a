"""`make setup` on a machine that lacks something names the one command that mends it."""

import subprocess

import pytest


def setup(pytestconfig, tmp_path, stub):
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\n{stub}\n")
    python.chmod(0o755)
    command = ["sh", str(pytestconfig.rootpath / "tools" / "setup"), str(tmp_path / "venv")]
    environment = {"PYTHON": str(python), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize(
    ("stub", "message"),
    [
        ('case "$2" in *ensurepip*) exit 1 ;; esac', "sudo apt-get install -y python3-venv"),
        ("exit 1", "expected Python 3.11 or newer"),
    ],
    ids=["no venv", "too old"],
)
def test_what_is_missing_is_named_with_the_command_that_mends_it(pytestconfig, tmp_path, stub, message):
    done = setup(pytestconfig, tmp_path, stub)
    assert done.returncode == 1
    assert message in done.stderr
    assert not (tmp_path / "venv").exists()
