"""How a command that runs in the foreground is asked to end."""

from __future__ import annotations

import asyncio
import signal

__all__ = ["ending"]


def ending() -> asyncio.Event:
    """Set once somebody asks this process to end: Ctrl-C, ``kill``, or the terminal that closes.

    Ctrl-C counts also for a process that was started with it ignored, as shells start those in the background;
    a terminal does not where ``nohup`` says so.
    """
    asked = asyncio.Event()
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    for number in signals:
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    return asked
