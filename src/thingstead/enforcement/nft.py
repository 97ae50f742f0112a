"""Run nft text: what is made once is written for people to read; what changes is not (ADR 0010)."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

from thingstead.errors import ConfigError

__all__ = ["load_text"]

_LIBRARY = "libnftables.so.1"
_DIRECTORIES = "/usr/sbin:/sbin:/usr/bin:/bin"
_CONFIRM_SECONDS = 10


def load_text(text: str) -> None:
    """Run nft text as one transaction, through libnftables or the nft program.

    Raises:
        ConfigError: neither is here, or the kernel refused.
    """
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        _run_program(text)
        return
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
    for function in (library.nft_ctx_buffer_error, library.nft_ctx_get_error_buffer, library.nft_ctx_free):
        function.argtypes = [ctypes.c_void_p]
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    context = library.nft_ctx_new(0)
    try:
        library.nft_ctx_buffer_error(context)
        if library.nft_run_cmd_from_buffer(context, text.encode()) != 0:
            _refuse(library.nft_ctx_get_error_buffer(context))
    finally:
        library.nft_ctx_free(context)


def _program() -> str:
    program = shutil.which("nft") or shutil.which("nft", path=_DIRECTORIES)
    if program is None:
        raise ConfigError("expected libnftables.so.1 or the nft program, found neither; install the package nftables")
    return program


def _run_program(text: str) -> None:
    done = subprocess.run(  # noqa: S603  a fixed program; the text goes in by standard input
        [_program(), "-f", "-"], input=text.encode(), capture_output=True, check=False, timeout=_CONFIRM_SECONDS
    )
    if done.returncode != 0:
        _refuse(done.stderr)


def _refuse(output: bytes) -> None:
    line = (output.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[0]
    raise ConfigError(f"nftables refused the table: {line}")
