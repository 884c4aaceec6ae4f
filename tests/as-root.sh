#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command as root: real nodes need namespaces and mounts. Through sudo where we are not root.
set -eu
# What root writes here, the checkout's owner could not remove.
export PYTHONDONTWRITEBYTECODE=1
if [ "$(id -u)" = 0 ]; then
    exec "$@"
fi
command -v sudo >/dev/null || {
    echo "this needs root, and there is no sudo: run it as root" >&2
    exit 1
}
exec sudo --preserve-env=PYTHONDONTWRITEBYTECODE,CI,HADEB_CACHE \
    env PYTEST_ADDOPTS="-p no:cacheprovider" \
    HYPOTHESIS_STORAGE_DIRECTORY="${HADEB_CACHE:-/var/cache/hadeb}/hypothesis" "$@"
