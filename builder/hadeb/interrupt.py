# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, and cleaning up: the first Ctrl-C counts, and the first error is the one reported.

While modules load, Ctrl-C ends the process: there is nothing to clean up yet. Once `obey` was
called, the first Ctrl-C raises KeyboardInterrupt in the main thread, and all later ones are
ignored, so that none interrupts the cleaning up. Code that must not stop halfway, between starting
a process and noting its PID for example, runs in `deferred`.

SIGINT that was ignored when hadeb started, as in a script's background job, stays ignored.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXIT_CODE = 130
# Seconds until an interrupt that fell into a finalizer, where Python drops it, comes again.
_AGAIN = 0.02


class _State:
    obeys = False
    raised = False
    pending = False
    depth = 0


_state = _State()


def leave_at_once() -> None:
    """Let Ctrl-C end this process without a word."""
    _handle(lambda *_: os._exit(EXIT_CODE))


def obey() -> None:
    """Let the first Ctrl-C raise KeyboardInterrupt, and the later ones do nothing."""
    _state.obeys = True
    sys.unraisablehook = _not_lost
    _handle(_interrupt)


def ignore() -> None:
    """Ignore Ctrl-C from now on: the command has done its work, and an end by Ctrl-C would lie."""
    if _state.obeys:
        _handle(_nothing)


def was_raised() -> bool:
    """Whether a Ctrl-C has interrupted the command."""
    return _state.raised


@contextmanager
def deferred() -> Iterator[None]:
    """Run a short block that Ctrl-C does not interrupt; a Ctrl-C counts once it has ended."""
    if threading.current_thread() is not threading.main_thread():
        # Signals are handled in the main thread only.
        yield
        return
    _state.depth += 1
    try:
        yield
    finally:
        _state.depth -= 1
        if not _state.depth and _state.pending:
            _state.pending = False
            _interrupt()


@contextmanager
def cleanup(action: Callable[[], object]) -> Iterator[None]:
    """Run a block, and then the action, whether the block fails or not.

    Ctrl-C does not interrupt the action. If both fail, the block's error is raised, with the
    action's as a note.
    """
    try:
        yield
    except BaseException as error:
        with deferred():
            clean_up_after(error, action)
        raise
    with deferred():
        action()


def clean_up_after(error: BaseException, action: Callable[[], object]) -> None:
    """Run an action because of an error; the action's own error becomes a note of the first."""
    try:
        action()
    except Exception as late:  # noqa: BLE001 - whatever it is, the first error counts
        error.add_note(f"cleaning up failed as well: {late}")


def _handle(handler: Callable[..., object]) -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def _nothing(*_: object) -> None:
    """Unlike SIG_IGN, this is not inherited by the programs that hadeb starts."""


def _interrupt(*_: object) -> None:
    if _state.depth:
        _state.pending = True
    elif not _state.raised:
        _state.raised = True
        raise KeyboardInterrupt


def _not_lost(dropped: sys.UnraisableHookArgs) -> None:
    """Bring an interrupt again that fell into a finalizer: Python drops what those raise."""
    if dropped.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(dropped)
        return

    def again() -> None:
        _state.raised = False
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(_AGAIN, again)
    timer.daemon = True
    timer.start()
