#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs shellcheck on every shell program of the project, as it lies here and as the package carries it.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# The files below $1 that /bin/sh runs.
shell_files() {
    find "$1" \( -name .git -o -name .venv -o -name '*.j2' \) -prune -o -type f \
        -exec grep -lIE '^#! ?/bin/(ba|da)?sh' {} + | sort
}

check() {
    # Names without blanks are a rule of the house.
    # shellcheck disable=SC2046
    shellcheck --external-sources --source-path=SCRIPTDIR $(shell_files "$1")
}

# A template is no program yet; its output is looked at below.
check .ci
check agents
check builder
check tests
deb=$(.venv/bin/hadeb build --quiet)
dpkg-deb --raw-extract "$deb" "$work/package"
check "$work/package"
