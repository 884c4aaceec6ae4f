# SPDX-License-Identifier: Apache-2.0
"""index.html: what is in a repository, and the words that a client types. Pure.

A person copies the words, and a test follows them: each is the text of a `pre` with an id, such
as `add-stable`.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence

from hadeb.debian.version import version_key
from hadeb.repo.model.contents import Published
from hadeb.repo.model.keys import Key, PublicKeys
from hadeb.repo.model.repository import Repository
from hadeb.repo.model.suite_view import SuiteView, main_suite
from hadeb.repo.site.sources import address, keyring_name, preferences
from hadeb.repo.site.template import Markup, filled, joined, markup, page

# Lines of a suite's table. More are no use to a reader, and cost every publish time.
LONGEST_TABLE = 400

_Fact = tuple[str, object]


def index_page(
    repository: Repository,
    keys: PublicKeys,
    suites: Sequence[SuiteView],
    stanzas: Mapping[str, str],
) -> str:
    """The page. `stanzas` are the suites' .sources by name."""
    main = main_suite(suites) if suites else None
    ordered = sorted(suites, key=lambda view: (view is not main, view.name))
    links = [markup('<a href="#suite-@NAME@">@NAME@</a>', name=view.name) for view in ordered]
    first = keys.keys[0] if keys.keys else None
    facts: list[_Fact] = [
        ("Address", address(repository)),
        ("Suites", joined(links, ", ") or "none yet"),
        ("Signed by", _tail(first)),
    ]
    words = [_suite(repository, view, stanzas[view.name], main is view) for view in ordered]
    return page(
        "site/index.html.in",
        style=Markup(filled("site/index.css")),
        label=repository.label,
        origin=repository.origin,
        facts=_facts(facts),
        suites=joined(words) or Markup('<p class="note empty">Nothing is published yet.</p>'),
        keys=joined(_key(key) for key in keys.keys),
        keyring=keyring_name(repository),
    )


def _suite(repository: Repository, view: SuiteView, stanza: str, main: bool) -> Markup:
    suite = view.suite
    facts: list[_Fact] = [
        ("Generation", view.generation),
        ("Published", _moment(view.date)),
        ("Valid until", _moment(view.valid_until) if view.valid_until else "no end"),
        ("Codename", suite.codename),
        ("Components", ", ".join(suite.components)),
        ("Architectures", ", ".join(suite.architectures)),
    ]
    steps = _steps(repository, view, stanza)
    return page(
        "site/suite.html.in",
        name=view.name,
        facts=_facts(facts),
        steps=steps if main else _folded(steps, view.name),
        packages=_packages(view),
    )


def _folded(steps: Markup, name: str) -> Markup:
    """What most readers want of the main suite alone is shut in the others."""
    summary = markup("<summary>How a machine follows @NAME@</summary>", name=name)
    return Markup(f"<details>{summary}{steps}</details>")


def _steps(repository: Repository, view: SuiteView, stanza: str) -> Markup:
    sha256 = hashlib.sha256(stanza.encode()).hexdigest()
    return page(
        "site/steps.html.in",
        suite=view.name,
        name=repository.name,
        url=address(repository),
        keyring=keyring_name(repository),
        package=view.example,
        stanza=stanza,
        sha256=sha256,
        preferences=preferences(repository, view.suite),
    )


def _packages(view: SuiteView) -> Markup:
    """The table of packages, or a sentence where there are none."""
    packages = view.contents.packages
    if not packages:
        return Markup('<p class="note">This suite is empty.</p>')
    several = len(view.suite.components) > 1
    rows: list[Markup] = []
    left, unlisted = LONGEST_TABLE, 0
    for (component, name), group in itertools.groupby(
        packages, key=lambda package: (package.component, package.name)
    ):
        if left <= 0:
            unlisted += 1
            continue
        versions = sorted(group, key=lambda package: version_key(package.version), reverse=True)
        rows.append(_row(name, component if several else "", versions[:left], len(versions)))
        left -= len(versions)
    more = "one more package" if unlisted == 1 else f"{unlisted:,} more packages"
    return page(
        "site/packages.html.in",
        rows=joined(rows),
        more=markup("<p class='note'>And @MORE@; the manifest lists all.</p>", more=more)
        if unlisted
        else Markup(),
        suite=view.name,
    )


def _row(name: str, component: str, shown: Sequence[Published], count: int) -> Markup:
    older = count - len(shown)
    return markup(
        '<tr role="row"><th role="rowheader" scope="row">@NAME@@COMPONENT@</th>'
        '<td role="cell"><ul role="list">@VERSIONS@@OLDER@</ul></td></tr>\n',
        name=name,
        component=markup(' <span class="of">@NAME@</span>', name=component) if component else "",
        versions=joined(_version(package) for package in shown),
        older=markup('<li class="of">and @COUNT@ older</li>', count=older) if older else "",
    )


def _version(package: Published) -> Markup:
    phase = f"for {package.phase} % of machines" if package.phase != 100 else ""
    return markup(
        '<li><span class="figure">@VERSION@</span> <span>@ARCHITECTURE@</span> '
        '<span class="number">@SIZE@</span>@PHASE@</li>',
        version=package.version,
        architecture=package.architecture,
        size=_size(sum(file.size for file in package.files)),
        phase=markup(' <span class="phase">@PHASE@</span>', phase=phase) if phase else "",
    )


def _key(key: Key) -> Markup:
    groups = [key.fingerprint[start : start + 4] for start in range(0, len(key.fingerprint), 4)]
    return markup(
        '<li><p class="fingerprint">@FINGERPRINT@</p><p class="of">@USER@ · @EXPIRY@</p></li>\n',
        fingerprint=" ".join(groups),
        user=markup("<bdi>@USER@</bdi>", user=key.user_id),
        expiry=f"valid until {key.expires:%Y-%m-%d}" if key.expires else "does not expire",
    )


def _tail(key: Key | None) -> Markup:
    """The end of a fingerprint, to tell keys apart at a glance."""
    if not key:
        return Markup("no key")
    return markup('<a href="#keys">…@TAIL@</a>', tail=key.fingerprint[-8:])


def _facts(facts: Sequence[_Fact]) -> Markup:
    return joined(_fact(*fact) for fact in facts)


def _fact(term: str, value: object) -> Markup:
    return markup("<div><dt>@TERM@</dt><dd>@VALUE@</dd></div>\n", term=term, value=value)


def _moment(time: datetime.datetime) -> str:
    return f"{time.astimezone(datetime.UTC):%Y-%m-%d %H:%M}\N{NO-BREAK SPACE}UTC"


def _size(size: int) -> str:
    """Bytes as people read them."""
    return next(_sizes(size))


def _sizes(size: int) -> Iterator[str]:
    if size < 1000:
        yield f"{size} B"
    amount = float(size)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.5:
            yield f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"
    yield f"{amount:.0f} GB"
