# SPDX-License-Identifier: Apache-2.0
"""The output of `hadeb plan`: a package and its transitions, or the commands for its cluster."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from hadeb.bundle.agents import known_meta_data
from hadeb.errors import UsageError
from hadeb.pacemaker.advertised import is_known
from hadeb.pacemaker.commands import crm_commands, pcs_commands
from hadeb.package.model import File
from hadeb.package.plan_all import Planned
from hadeb.package.state import state_of
from hadeb.package.transitions import transitions


def plan_text(planned: Planned) -> str:
    """The output of `hadeb plan` for a manifest."""
    package = planned.package
    lines = [package.file_name, ""]
    # Continuation lines of a field are already indented by one blank.
    lines.extend(f"  {name}: {value}".replace("\n", "\n   ") for name, value in package.control)
    lines.extend(["", "files"])
    for entry in package.entries:
        if isinstance(entry, File):
            kept = "  conffile" if entry.path in package.conffiles else ""
            lines.append(f"  {entry.mode:04o} {len(entry.content):>8}  /{entry.path}{kept}")
        else:
            lines.append(f"  link           /{entry.path} -> {entry.target}")
    if state := state_of(planned.manifest, package):
        lines.extend(["", "data", *(f"  {each.sentence}" for each in state)])
    for name, steps in transitions(package).items():
        lines.extend(["", name])
        for step in steps:
            lines.append(f"  {step.runs}")
            lines.extend(f"      {action}" for action in step.does or ("nothing",))
    return "\n".join(lines)


def plan_json(planned: Planned) -> dict[str, object]:
    """The output of `hadeb plan --json` for a manifest."""
    package, cluster = planned.package, planned.manifest.cluster
    made: dict[str, object] = {
        "file": package.file_name,
        "control": dict(package.control),
        "entries": [
            {"path": f"/{entry.path}", "mode": f"{entry.mode:04o}", "size": len(entry.content)}
            if isinstance(entry, File)
            else {"path": f"/{entry.path}", "target": entry.target}
            for entry in package.entries
        ],
        "conffiles": [f"/{path}" for path in package.conffiles],
        "scripts": {script.name: script.text for script in package.scripts},
        "transitions": {
            name: [dataclasses.asdict(step) for step in steps]
            for name, steps in transitions(package).items()
        },
    }
    if state := state_of(planned.manifest, package):
        made["data"] = [dataclasses.asdict(each) for each in state]
    if cluster:
        known = known_meta_data(cluster.resource, planned.agents)
        made["cluster"] = {"pcs": pcs_commands(cluster), "crm": crm_commands(cluster, known)}
    return made


def cluster_text(planned: Planned, warn: Callable[[str], None], *, crmsh: bool) -> str:
    """The output of `hadeb plan --pcs` or `--crm`; `warn` hears where the two may differ."""
    cluster = planned.manifest.cluster
    if not cluster:
        raise UsageError(
            f"{planned.file} has no [cluster], so there are no commands to print",
            hint="add a [cluster] that describes how the bundle runs",
        )
    if not crmsh:
        return "\n".join(pcs_commands(cluster))
    known = known_meta_data(cluster.resource, planned.agents)
    for resource in cluster.resource:
        if not is_known(resource, known.get(resource.agent)):
            warn(
                f"warning: {planned.file}: {resource.name} gets no more than a monitor beside the "
                f"operations that are named: what {resource.agent} advertises is not known here; "
                "run `hadeb plan --crm` on a node"
            )
    return "\n".join(crm_commands(cluster, known))
