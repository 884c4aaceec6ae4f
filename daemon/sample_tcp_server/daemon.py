# SPDX-License-Identifier: Apache-2.0
"""The daemon's life: start, serve, reload on SIGHUP, stop on SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import os
import signal
import traceback
from typing import Any

from sample_tcp_server import log
from sample_tcp_server.answering import Answering
from sample_tcp_server.endpoints import change
from sample_tcp_server.lingering import Lingering
from sample_tcp_server.listeners import CannotListen, Listeners, open_listeners
from sample_tcp_server.notify import Notifier
from sample_tcp_server.settings import BadSettings, Settings, Sources

STOP_SECONDS = 3.0  # for open connections; lingering ones have their own, shorter limit
RETIRE_SECONDS = 1.0  # how long a retired address still answers handshakes under way

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def serve(options: dict[str, str], faults: list[str]) -> int:
    """Run until a signal stops the daemon. Return 0: stopped, 1: cannot serve, 2: bad settings.

    `faults` are those of the command line; they are reported together with those of the settings.
    The caller has blocked SIGNALS, so that a signal during the start waits until it is handled.
    """
    sources = Sources(options, os.environb)
    try:
        settings = sources.read()
    except BadSettings as error:
        log.faults([*faults, *error.sentences])
        return 2
    if faults:
        log.faults(faults)
        return 2
    try:
        listeners = open_listeners(change((), settings.endpoints), {})
    except CannotListen as error:
        for sentence in error.sentences:
            log.error(sentence)
        return 1
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(_report_bug)
    daemon = Daemon(loop, sources, settings, listeners)
    daemon.start()
    try:
        loop.run_forever()
    finally:
        signal.pthread_sigmask(
            signal.SIG_BLOCK, SIGNALS
        )  # close() restores the default actions, which kill
        loop.close()
    return 0


class Daemon:
    """Holds the parts together."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sources: Sources,
        settings: Settings,
        listeners: Listeners,
    ) -> None:
        self._loop = loop
        self._sources = sources
        self._listeners = listeners
        self._retiring: Listeners = {}
        self._retire_timer: asyncio.TimerHandle | None = None
        self._lingering = Lingering(loop)
        self._answering = Answering(loop, self._lingering, settings.answer())
        self._notifier = Notifier(os.environ)
        self._stopping = False

    def start(self) -> None:
        """Begin to answer, and report that the daemon is ready."""
        for listener in self._listeners.values():
            self._answering.watch(listener)
        self._loop.add_signal_handler(signal.SIGTERM, self.stop)
        self._loop.add_signal_handler(signal.SIGINT, self.stop)
        self._loop.add_signal_handler(signal.SIGHUP, self.reload)
        # When a flood of signals fills the pipe, Python would warn from the signal handler. The
        # warning takes a lock, and could wait forever for the code that the signal interrupted.
        signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        log.notice(self._status())
        self._notifier.ready(self._status())
        if self._notifier.watchdog is not None:
            self._give_sign_of_life(self._notifier.watchdog)

    def reload(self) -> None:
        """Apply the settings as they are now, or log why not and go on as before."""
        if self._stopping:
            return
        self._notifier.reloading()
        try:
            settings = self._sources.read()
            self._move(settings)
        except (BadSettings, CannotListen) as error:
            for sentence in error.sentences:
                log.error(f"reload: {sentence}")
            log.error("reload: nothing has changed")
        else:
            self._answering.answer = settings.answer()
            log.notice(f"reloaded: {self._status()}")
        self._notifier.ready(self._status())

    def stop(self) -> None:
        """Accept no more, let open connections finish, end the loop."""
        if self._stopping:
            return
        self._stopping = True
        self._notifier.stopping("stopping")
        log.notice("stopping")
        self._close_retired()
        for listener in self._listeners.values():
            self._answering.finish(listener)
        self._loop.call_later(STOP_SECONDS, self._loop.stop)
        self._lingering.when_empty(self._loop.stop)

    def _move(self, settings: Settings) -> None:
        """Listen where the settings say. CannotListen leaves everything as it was."""
        current = {**self._listeners, **self._retiring}
        plan = change(current, settings.endpoints)
        opened = open_listeners(plan, current)
        for listener in opened.values():
            self._answering.watch(listener)
        self._listeners = {**{each: current[each] for each in plan.keep}, **opened}
        self._retiring = {each: current[each] for each in plan.retire}
        if self._retire_timer is not None:
            self._retire_timer.cancel()
        self._retire_timer = self._loop.call_later(RETIRE_SECONDS, self._close_retired)

    def _close_retired(self) -> None:
        for listener in self._retiring.values():
            self._answering.finish(listener)
        self._retiring = {}

    def _give_sign_of_life(self, interval: float) -> None:
        self._notifier.alive()
        self._loop.call_later(interval, self._give_sign_of_life, interval)

    def _status(self) -> str:
        return "listening on " + ", ".join(str(endpoint) for endpoint in self._listeners)


def _report_bug(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an unexpected exception in one line; the service goes on."""
    error = context.get("exception")
    where = "".join(traceback.format_tb(error.__traceback__)[-1:]) if error else ""
    log.error(f"a bug in sample-tcp-server: {context.get('message')}: {error!r} {where}")
