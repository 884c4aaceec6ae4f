#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Renew requirements.lock and requirements-dev.lock from pyproject.toml: the newest releases, with
# the hashes of all their files, so that one lock file serves every Python and machine. `make lock`.
set -eu
umask 022
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check uv

compile() {
    lock=$1
    shift
    echo '# SPDX-License-Identifier: Apache-2.0' >"$work/$lock"
    "$work/venv/bin/uv" pip compile pyproject.toml --quiet --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
        "$@" >>"$work/$lock"
    cp "$work/$lock" "$lock"
}

compile requirements.lock
compile requirements-dev.lock --group dev --constraint requirements.lock
