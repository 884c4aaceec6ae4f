#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs shellcheck on every shell program of the project, as it lies here and as packages carry it.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Every file below $1 that sh runs. The manifests are broken on purpose.
check() {
    find "$1" \( -name .git -o -name .venv -o -path tests/manifests \) -prune -o -type f ! -name '*.py' ! -name '*.j2' \
        -exec grep -lIZE '^#! ?/bin/(ba|da)?sh' {} + |
        xargs -0 -r shellcheck --external-sources --source-path=SCRIPTDIR
}

# A template is no program yet: its output is checked below, and in tests of the repository.
check .ci
check agents
check builder
check tests
# With and without a daemon and a service, the maintainer scripts differ.
for bundle in . tests/manifests/valid/agents-only tests/manifests/valid/executables \
    tests/manifests/valid/no-agent tests/manifests/valid/service; do
    deb=$(.venv/bin/hadeb build --quiet --output "$work" "$bundle")
    dpkg-deb --raw-extract "$deb" "$work/unpacked"
    check "$work/unpacked"
    rm -rf "$work/unpacked"
done
