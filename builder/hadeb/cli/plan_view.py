# SPDX-License-Identifier: Apache-2.0
"""The output of `hadeb plan`: a package and its transitions, or the commands for its cluster."""

from __future__ import annotations

import dataclasses

from hadeb.errors import UsageError
from hadeb.manifest.cluster import ClusterTable
from hadeb.pacemaker.commands import crm_commands, pcs_commands
from hadeb.package.model import File, Package
from hadeb.package.transitions import transitions


def plan_text(package: Package) -> str:
    """The output of `hadeb plan` for a package."""
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
    for name, steps in transitions(package).items():
        lines.extend(["", name])
        for step in steps:
            lines.append(f"  {step.runs}")
            lines.extend(f"      {action}" for action in step.does or ("nothing",))
    return "\n".join(lines)


def plan_json(package: Package, cluster: ClusterTable | None) -> dict[str, object]:
    """The output of `hadeb plan --json` for a manifest."""
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
    if cluster:
        made["cluster"] = {"pcs": pcs_commands(cluster), "crm": crm_commands(cluster)}
    return made


def cluster_text(file: str, cluster: ClusterTable | None, *, crmsh: bool) -> str:
    """The output of `hadeb plan --pcs` or `--crm` for the manifest in a file."""
    if not cluster:
        raise UsageError(
            f"{file} has no [cluster], so there are no commands to print",
            hint="add a [cluster] that describes how the bundle runs",
        )
    return "\n".join(crm_commands(cluster) if crmsh else pcs_commands(cluster))
