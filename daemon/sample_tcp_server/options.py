# SPDX-License-Identifier: Apache-2.0
"""The command line, read without argparse, whose import alone costs a probe a third more."""

from __future__ import annotations

USAGE = """\
usage: sample-tcp-server [--greet TEXT] [--port N] [--bind ADDRESS[,ADDRESS...]]
                         [--settings FILE]
       sample-tcp-server --probe HOST:PORT [--expect GREET] [--here] [--timeout SECONDS]
"""

HELP = (
    USAGE
    + """
Answers each connection with "GREETING This is NODENAME!" and a newline, and closes it.

  --greet TEXT         the greeting, one line (environment GREET; default Hello!)
  --port N             the TCP port, 1 to 65535 (environment PORT; default 5678)
  --bind ADDRESS,...   IPv4 and IPv6 addresses to listen on, may be repeated
                       (environment BIND; default all addresses of this machine)
  --settings FILE      read greet=, port= and bind= lines from FILE, again at each SIGHUP
                       (environment SETTINGS)
A flag beats the settings file, which beats the environment, which beats the default.

  --probe HOST:PORT    be a client: exit 0 after a greeting, else 1; [::1]:5678 for IPv6
  --expect GREET       with --probe: ask until the greeting is GREET, up to the timeout
  --here               with --probe: only an answer of this machine counts
  --timeout SECONDS    with --probe: how long to wait (default 5)
  --help               print this text
"""
)

SERVER_OPTIONS = ("greet", "port", "bind", "settings")
PROBE_OPTIONS = ("probe", "expect", "here", "timeout")
_FLAGS = ("here",)
_REPEATABLE = ("bind",)


def read(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """Option names, without dashes, to values; and what is wrong, a sentence each.

    `--name value` and `--name=value` are the same; the value is taken as it is, even if it
    begins with a dash. Repeated --bind values are joined by commas.
    """
    options: dict[str, str] = {}
    faults: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if argument in ("-h", "--help"):
            return {"help": ""}, []
        if not name.startswith("--") or name[2:] not in SERVER_OPTIONS + PROBE_OPTIONS:
            faults.append(f"{argument}: unknown argument (see --help)")
            continue
        name = name[2:]
        if name in _FLAGS:
            if equals:
                faults.append(f"{name}: --{name} takes no value")
        elif not equals:
            following = next(rest, None)
            if following is None:
                faults.append(f"{name}: --{name} needs a value")
                break
            value = following
        if name not in options:
            options[name] = value
        elif name in _REPEATABLE:
            options[name] += "," + value
        else:
            faults.append(f"{name}: --{name} is given twice")
    return options, faults + _misfits(options)


def _misfits(options: dict[str, str]) -> list[str]:
    probing = "probe" in options
    strangers = SERVER_OPTIONS if probing else PROBE_OPTIONS[1:]
    reason = "does not go with --probe" if probing else "needs --probe"
    return [f"{name}: --{name} {reason}" for name in strangers if name in options]
