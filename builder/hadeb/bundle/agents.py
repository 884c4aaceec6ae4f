# SPDX-License-Identifier: Apache-2.0
"""What a bundle's agents say of themselves, and what is wrong with their files.

hadeb runs no agent: a shell or Python only parses it, and its meta-data is read in its source.
"""

from __future__ import annotations

import functools
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hadeb.debian.relations import parse_alternatives
from hadeb.errors import CommandFailed, Finding, ToolMissing
from hadeb.manifest.cluster import ResourceTable
from hadeb.manifest.model import AgentTable
from hadeb.pacemaker.agent_rules import describe
from hadeb.pacemaker.agent_text import is_python, meta_data_of
from hadeb.pacemaker.ocf import AGENTS, MetaData
from hadeb.run import run

# What `sh -n` prints: "dash: 5: Syntax error: ..." or "bash: line 5: syntax error ...".
_SHELL_ERROR = re.compile(r"^\S*sh: (?:line )?(\d+): (?:[Ss]yntax error: )?(.*)", re.MULTILINE)
_INTERPRETER = re.compile(rb"#!\s*(?:\S*/env\s+)?(?:\S*/)?(sh|dash|bash)(?:\s|$)")
# A shell reads no further than a line on which it ends.
_EXIT = re.compile(rb"^(?:exit|exec)\b.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of the bundle: its name in a cluster, its file as findings name it, and its text.

    `meta_data` is None where only a run of the agent could tell.
    """

    name: str
    file: str
    text: str
    meta_data: MetaData | None

    def at(self, problems: Iterable[tuple[int, str]]) -> list[Finding]:
        """Problems, each with its line, as findings in the agent's file."""
        return [Finding(self.file, line, "", sentence) for line, sentence in problems]


def read_agent(
    table: AgentTable, file: str, content: bytes, depends: Iterable[str]
) -> tuple[Agent, list[Finding]]:
    """An agent, and what is wrong with its file; `depends` is what the package depends on."""
    kind = table.source.rpartition("/")[2]
    problems = list(_syntax_errors(file, content, depends))
    meta_data = None
    if printed := meta_data_of(content):
        described = describe(kind, printed)
        problems.extend(described.problems)
        meta_data = described.meta_data
    text = content.decode("utf-8", "replace")
    agent = Agent(f"ocf:{table.provider}:{kind}", file, text, meta_data)
    return agent, agent.at(problems)


def known_meta_data(
    resources: Iterable[ResourceTable], own: Mapping[str, MetaData]
) -> Mapping[str, MetaData]:
    """The meta-data of the resources' agents: the bundle's own, and those of this machine."""
    known = dict(own)
    for resource in resources:
        name = resource.agent
        if name in known or not name.startswith("ocf:"):
            continue
        try:
            content = Path(AGENTS, *name.split(":")[1:]).read_bytes()
        except OSError:
            continue
        printed = meta_data_of(content)
        described = describe(name.rpartition(":")[2], printed) if printed else None
        if described and described.meta_data:
            known[name] = described.meta_data
    return known


def _syntax_errors(file: str, content: bytes, depends: Iterable[str]) -> Iterator[tuple[int, str]]:
    if shell := _INTERPRETER.match(content):
        name = shell[1].decode()
        if error := _shell_error(name, content):
            yield error[0], f"{name} cannot parse the agent: {error[1]}"
    # A newer Python than this machine's may take what this one does not.
    elif is_python(content) and not _needs_newer_python(depends):
        yield from _python_errors(file, content)


@functools.cache
def _shell_error(shell: str, content: bytes) -> tuple[int, str] | None:
    """The line and the reason of a syntax error, None if there is none or no such shell."""
    error = _parsed_by(shell, content)
    if error and any(
        not _parsed_by(shell, content[: end.end()])
        for end in _EXIT.finditer(content)
        if content.count(b"\n", 0, end.end()) < error[0]
    ):
        return None
    return error


def _parsed_by(shell: str, content: bytes) -> tuple[int, str] | None:
    # Debian's sh is dash; the machine that builds may have another. Patterns that bash only knows
    # with extglob are no error, as the agent may turn that on.
    calls = (["bash", "-n"], ["bash", "-O", "extglob", "-n"])
    error = None
    for argv in calls if shell == "bash" else (["dash", "-n"],):
        try:
            done = run(
                argv,
                input=content,
                timeout=20,
                check=False,
                env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            )
        except (ToolMissing, CommandFailed):
            return None
        match = _SHELL_ERROR.search(done.stderr)
        if done.returncode == 0 or not match:
            return None
        error = error or (int(match[1]), match[2])
    return error


def _python_errors(file: str, content: bytes) -> Iterator[tuple[int, str]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(content, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        yield error.lineno or 1, f"Python cannot parse the agent: {error.msg}"
    except ValueError as error:
        yield 1, f"Python cannot parse the agent: {error}"
    except (MemoryError, RecursionError):
        # It may be too large for this machine alone.
        pass


def _needs_newer_python(depends: Iterable[str]) -> bool:
    mine = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return any(
        relation.name == "python3" and not relation.admits(mine)
        for each in depends
        for relation in parse_alternatives(each)
    )
