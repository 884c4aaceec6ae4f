# SPDX-License-Identifier: Apache-2.0
"""The docs name things that exist, and their bundles build."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hadeb import __version__, errors
from hadeb.cli.main import hadeb
from hadeb.context import from_environment
from hadeb.debian.releases import SUITES
from hadeb.package.model import Package
from hadeb.package.plan_all import plan_all
from hadeb.package.render import templates_directory
from support.command import call_hadeb
from support.pages import FENCE, PAGES, ROOT, bundles, prose, text

PUBLISH = ROOT / "docs/how-to/publish.md"
TOP = ("agents", "builder", "daemon", "debian-templates", "docs", "tests")


def code(page: Path) -> Iterator[str]:
    """What a page sets as code, in its lines and in blocks, but for what programs print."""
    for block in FENCE.finditer(text(page)):
        if block["language"] != "text":
            yield block["body"]
    yield from re.findall(r"`([^`\n]+)`", prose(page))


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def called(command: click.Command, rest: str) -> tuple[click.Command, str]:
    """The command that is called, of a group the one that comes next, and what follows it."""
    if isinstance(command, click.Group) and (word := re.match(r" ([a-z]+)(.*)", rest)):
        assert word[1] in command.commands, f"{command.name}{rest}"
        return called(command.commands[word[1]], word[2])
    return command, rest


@functools.cache
def sample() -> Package:
    """The sample bundle's package."""
    (planned,) = plan_all([ROOT], from_environment({}))
    return planned.package


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
class TestPage:
    def test_links_lead_somewhere(self, page: Path) -> None:
        broken = []
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            if re.match(r"https?://", target):
                continue
            path, _, anchor = target.partition("#")
            there = (page.parent / path) if path else page
            if not there.exists() or (anchor and anchor not in anchors(there)):
                broken.append(target)
        assert not broken

    def test_make_targets_exist(self, page: Path) -> None:
        known = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
        named = {
            word
            for piece in code(page)
            for word in re.findall(r"^\W*make ([a-z-]+)", piece, re.MULTILINE)
        }
        assert named <= known

    def test_commands_and_options_of_hadeb_exist(self, page: Path) -> None:
        for piece in code(page):
            for name, words in re.findall(r"(?:^|[ (/])hadeb ([a-z]+)(.*)", piece):
                if (page.name, name) in PLANNED:
                    continue
                assert name in hadeb.commands, f"hadeb {name}"
                command, rest = called(hadeb.commands[name], words)
                known = {option for each in command.params for option in each.opts}
                known |= {"--help", "--version"}
                # What follows a lone -- is another program's.
                own = re.split(r" -- ", rest)[0]
                assert set(re.findall(r"(?<!\S)--[a-z-]+", own)) <= known, f"hadeb {name}{words}"

    def test_files_of_the_project_exist(self, page: Path) -> None:
        missing = [
            path
            for piece in re.findall(r"`([^`\n]+)`", prose(page))
            for path in re.findall(rf"^(?:{'|'.join(TOP)})/[\w./@-]*$", piece)
            if page.name != "package-your-daemon.md"
            and not any((base / path).exists() for base in (ROOT, page.parent))
        ]
        assert not missing

    def test_files_of_the_sample_package_exist(self, page: Path) -> None:
        package = sample()
        known = {f"/{entry.path}" for entry in package.entries}
        known |= {f"/{directory}" for directory in package.directories()}
        named = {
            path.rstrip("/.")
            for piece in code(page)
            for path in re.findall(
                r"(?<![\w.])/(?:usr|etc)/[\w./@-]*(?:sample-|kamaboko)[\w./@-]*", piece
            )
        }
        named -= SHIPPED_BY_EXAMPLES
        assert named <= known


# What a page says is not there yet, and what the examples of a how-to add.
PLANNED = {("architecture.md", name) for name in ("init", "check", "source")}
SHIPPED_BY_EXAMPLES = {
    "/usr/share/sample-tcp-server/data",
    "/usr/share/sample-tcp-server/current",
    "/usr/lib/systemd/system/sample-tcp-server@.service.d/50-memory.conf",
    "/etc/systemd/system/sample-tcp-server@.service.d",
}


@pytest.mark.parametrize("files", [pytest.param(files, id=name) for name, files in bundles()])
def test_a_bundle_in_the_docs_builds(files: dict[str, str], tmp_path: Path) -> None:
    manifest = files["bundle.toml"]
    # The sources that the page leaves to the reader.
    for path in re.findall(r'"((?:agents|build|man)/[^"]+)"', manifest):
        files.setdefault(path, "#!/bin/sh\n")
    for path, body in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(body, encoding="utf-8")
    (planned,) = plan_all([tmp_path], from_environment({}))
    assert f'name = "{planned.package.name}"' in manifest


def fragments() -> Iterator[tuple[str, str]]:
    """Each piece of a manifest that is set as TOML and is no whole file."""
    for page in PAGES:
        for number, block in enumerate(FENCE.finditer(text(page))):
            if block["language"] == "toml" and not block["title"]:
                yield f"{page.name}-{number}", block["body"]


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in fragments()])
def test_a_piece_of_a_manifest_fits_the_sample(body: str, tmp_path: Path) -> None:
    manifest = re.sub(r'"((?:agents|daemon)[/"])', r'"SAMPLE/\1', text(ROOT / "bundle.toml"))
    (tmp_path / "SAMPLE").symlink_to(ROOT, target_is_directory=True)
    (tmp_path / "bundle.toml").write_text(f"{manifest}\n{body}", encoding="utf-8")
    for source in re.findall(r'source = "([^"]+)"', body):
        (tmp_path / source).write_text("", encoding="utf-8")
    plan_all([tmp_path], from_environment({}))


def test_the_commands_that_the_docs_show_are_those_that_hadeb_prints(tmp_path: Path) -> None:
    page = text(ROOT / "docs/how-to/describe-your-cluster.md")
    manifest, *_ = [block["body"] for block in FENCE.finditer(page) if block["title"]]
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/clock").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "bundle.toml").write_text(manifest, encoding="utf-8")
    printed = call_hadeb("plan", "--pcs", directory=tmp_path).stdout
    assert f"$ hadeb plan --pcs\n{printed}```\n" in page
    readme = text(ROOT / "README.md").replace('"', "")
    for line in call_hadeb("plan", "--pcs", directory=ROOT).stdout.splitlines():
        assert line in readme or "sample-resource" in line


@pytest.mark.parametrize("agent", ["sample-tcp-server", "sample-resource"])
def test_an_agents_parameters_and_timeouts_are_as_its_meta_data_says(agent: str) -> None:
    source = text(ROOT / "agents" / agent)
    section = text(ROOT / "docs/reference/agents.md").split(f"## ocf:kamaboko:{agent}\n")[1]
    rows = section.split("\n## ")[0]
    for name in re.findall(r'<parameter name="(\w+)"', source):
        (default,) = re.findall(rf'OCF_RESKEY_{name}_default="(.*)"', source)
        assert f"| `{name}` | {f'`{default}`' if default else 'empty'} |" in rows
    actions = re.findall(
        r'<action name="([\w-]+)"\s+timeout="(\d+)s"(?: interval="(\d+)s")?', source
    )
    assert actions
    for action, timeout, interval in actions:
        assert action in rows
        if "| action |" in rows:
            place = rf"\| {action}[^|]*\| {timeout} s \| {interval and interval + ' s'} ?\|"
            assert re.search(place, rows), f"{action} {timeout} {interval}"


def test_every_page_is_linked_from_the_page_that_says_where_to_start() -> None:
    start = ROOT / "docs/README.md"
    linked = {
        (start.parent / target.partition("#")[0]).resolve()
        for target in re.findall(r"\]\(([^):\s]+)\)", prose(start))
    }
    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert pages <= {start, *linked}
    assert "](docs/README.md)" in text(ROOT / "README.md")


def test_every_make_target_is_explained() -> None:
    targets = re.findall(r"^([a-z-]+):.* ## ", text(ROOT / "Makefile"), re.MULTILINE)
    pages = text(ROOT / "README.md") + text(ROOT / "CONTRIBUTING.md") + text(PUBLISH)
    assert {target for target in targets if f"`make {target}" not in pages} <= {"help", "clean"}


def test_the_hooks_before_a_commit_call_make_targets_of_this_checkout() -> None:
    hooks = text(ROOT / ".pre-commit-config.yaml")
    assert set(re.findall(r"repo: (.*)", hooks)) == {"local"}
    assert "://" not in hooks
    entries = re.findall(r"entry: (.*)", hooks)
    assert entries
    targets = re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE)
    assert set(entries) <= {f"make {target}" for target in targets}


def test_the_changelog_has_the_version_that_the_code_has() -> None:
    changes = text(ROOT / "CHANGELOG.md")
    assert re.search(
        rf"^## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE
    )


def test_the_support_matrix_names_every_release_and_the_versions_of_pyproject() -> None:
    page = text(ROOT / "docs/reference/support.md")
    assert all(f"({suite})" in page for suite in SUITES)
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    assert f"Python {project['requires-python'].removeprefix('>=')} and later" in page
    (boto3,) = project["optional-dependencies"]["s3"]
    stores = text(ROOT / "docs/how-to/object-stores.md")
    assert all(boto3.replace(">=", " ") in each for each in (page, stores))


# What a page quotes, and the file whose program prints it.
QUOTES = (
    ("docs/how-to/publish.md", "builder/hadeb/repo", "made the signing key "),
    ("docs/how-to/publish.md", "builder/hadeb/repo", "; keep a copy: gpg --export-secret-keys "),
    ("docs/how-to/debug-at-night.md", "debian-templates", "told Pacemaker that "),
    ("docs/how-to/debug-at-night.md", "debian-templates", " ended unasked"),
    ("docs/how-to/debug-at-night.md", "agents", "no greeting from "),
    ("docs/how-to/debug-at-night.md", "daemon", "cannot listen on "),
    ("docs/how-to/look-into-a-cluster.md", "builder/hadeb", "booting "),
    ("docs/how-to/look-into-a-cluster.md", "builder/hadeb", ", and starting its resources"),
    ("docs/how-to/look-into-a-cluster.md", "builder/hadeb", "open a shell with: hadeb lab shell "),
    ("docs/how-to/look-into-a-cluster.md", "builder/hadeb", "; stop it with: hadeb lab down"),
    ("docs/how-to/look-into-a-cluster.md", "builder/hadeb", " is down"),
    ("docs/how-to/prove-a-failover.md", "builder/hadeb", "it returns before the daemon has ended"),
    ("docs/how-to/prove-a-failover.md", "builder/hadeb", "it returns too early"),
    (
        *("docs/how-to/prove-a-failover.md", "builder/hadeb"),
        "its monitor does not check the service itself",
    ),
    ("docs/how-to/prove-a-failover.md", "builder/hadeb", "the report is "),
    ("docs/how-to/prove-a-failover.md", "builder/hadeb", "left out"),
    ("docs/how-to/upgrade.md", "debian-templates", ": not installed: it lacks "),
    ("docs/tutorial.md", "daemon", "listening on "),
)


@pytest.mark.parametrize(("page", "below", "quote"), QUOTES)
def test_a_message_that_a_page_quotes_is_in_the_program(page: str, below: str, quote: str) -> None:
    sources = (path for path in (ROOT / below).rglob("*") if path.is_file())
    assert quote in text(ROOT / page)
    # A string over two lines of the source is one all the same.
    assert any(
        quote in re.sub(r'"\s+f?"', "", path.read_text(encoding="utf-8", errors="replace"))
        for path in sources
    )


def test_every_exit_code_is_explained() -> None:
    page = text(ROOT / "docs/reference/exit-codes-and-environment.md")
    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.HadebError)
    }
    assert all(f"\n| {code} | " in page for code in {0, 130, *codes})


def test_the_refusal_that_the_docs_show_is_the_one_that_prerm_prints() -> None:
    scripts = templates_directory() / "DEBIAN"
    script = text(scripts / "prerm") + text(scripts / "cluster-guard")
    for page in ("docs/tutorial.md", "docs/how-to/remove.md"):
        refusal = re.findall(
            r"^sample-tcp-server: not removed:.*?^```$", text(ROOT / page), re.DOTALL | re.MULTILINE
        )
        assert refusal
        for line in refusal[0].splitlines()[1:-1]:
            # What comes before the first name of a resource, a node or a package.
            start = re.split(r"TCP-SERVER|ha\d|sample-tcp-server", line)[0].strip()
            assert start in script
