#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sets up what the make targets need, and reports what it installs and why. Quick and silent if
# everything is there.
#
#   setup.sh hadeb   .venv with the command hadeb and its libraries (requirements.lock)
#   setup.sh tools   the same, and the tools of `make lint` and `make test` (requirements-dev.lock)
#   setup.sh repo    the Debian packages that `make repo` needs
#   setup.sh lint    the Debian packages that `make lint` needs
#   setup.sh integration
#                    those that `make test-integration` needs besides these two
#   setup.sh system  those that `make test-system` needs besides
#   setup.sh peers   those that `make bench` and `make bench-repo` need besides
#   setup.sh pictures
#                    those that `make report-pictures` needs
#
# It needs root only if a Debian package is missing; then it calls apt, through sudo if it has to.
set -eu
umask 022
cd "$(dirname "$0")/../.."
here=$(pwd -P)
# Settings for other environments than .venv.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_USER

# The Debian packages that each target needs, and what for.
packages() {
    grep "^$1 " <<'LIST' | while read -r _ package why; do printf '%s %s\n' "$package" "$why"; done
hadeb       python3-venv      makes .venv, where hadeb and its libraries live
repo        apt-utils         apt-ftparchive reads packages and writes Release
repo        gpg               signs
repo        gpg-agent         keeps the key that signs
repo        gpgv              verifies signatures as apt of Debian 12 does
repo        sqv               verifies signatures as apt of Debian 13 does
lint        shellcheck        checks the shell programs, those that hadeb gives to others too
integration binutils          ar, to look into packages
integration dpkg-dev          reads the changelog as Debian does
integration fish              completes hadeb's words
integration gcc               compiles the library that counts hadeb's calls, and the server of the benchmark
integration libc6-dev         headers for gcc
integration lintian           checks the package as Debian would
integration man-db            renders the manual pages
integration strace            sees every call that changes a file
integration xz-utils          looks into packages
integration zsh               completes hadeb's words
system      e2fsprogs         file systems whose power is cut
system      iproute2          network namespaces, bridges and slow links of the lab
system      libxml2-utils     checks the agents' meta-data against the DTD
system      mmdebstrap        makes the file systems of the lab's nodes
system      mount             a disk that is full, and maintainer scripts in a place of their own
system      nftables          filters packets for the lab's network faults
system      procps            watches processes
system      resource-agents   ocf-shellfuncs, which the agents stand on, and ocf-tester
system      systemd           systemd-analyze and systemd-escape
system      systemd-container boots the lab's nodes
system      util-linux        namespaces of the lab
peers       aptly             hadeb publish is measured beside it
peers       reprepro          hadeb publish is measured beside it
pictures    chromium          draws the report as a browser does
LIST
}

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

need() {
    list=$(packages "$1")
    # One query for all of them is quick; each by itself only if some are missing.
    # shellcheck disable=SC2046 # package names, a word each
    set -- $(printf '%s\n' "$list" | cut -d' ' -f1)
    if status=$(dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null) &&
        ! printf '%s\n' "$status" | grep -qvx installed; then
        return
    fi
    missing=
    for package; do
        installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        die "this machine has no apt-get; install yourself:$missing"
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null; then
        as_root=sudo
    else
        die "Debian packages are missing and there is no sudo; as root: apt-get install$missing"
    fi
    say "apt installs what is missing:"
    for package in $missing; do
        printf '%s\n' "$list" | sed -n "s/^$package /  $package: /p" >&2
    done
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    # shellcheck disable=SC2086 # $as_root is a word or nothing, $missing is a list of words
    if ! { $as_root apt-get -q update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
            install --no-install-recommends $missing </dev/null; } >"$log" 2>&1; then
        cat "$log" >&2
        die "apt could not install:$missing"
    fi
    rm -f "$log"
}

# Whether a Python can make .venv; Debian's has no ensurepip without python3-venv.
can_make_venv() {
    "$1" -I -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for python in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if can_make_venv "$python"; then
            return
        fi
    done
    return 1
}

# What .venv was made from; a moved checkout, another Python or another lock file changes it.
state() {
    printf '%s\n' "$here"
    .venv/bin/python3 -I -S -c 'import sys; print(sys.version)'
    cat "$1"
}

ready() { state "$1" 2>/dev/null | cmp -s - ".venv/made-from-$1"; }

fill() {
    say ".venv: $2, from $1"
    .venv/bin/python3 -I -m pip install -qq --disable-pip-version-check \
        --require-hashes --requirement "$1" ||
        die "pip could not install $1 into .venv"
}

make_venv() {
    find_python || need hadeb
    find_python || die "no Python 3.11 or later that can make a virtual environment (PYTHON=… names one)"
    rm -rf .venv
    "$python" -I -m venv .venv || die "$python could not make .venv"
    fill requirements.lock "the libraries hadeb runs on"
    # .venv runs the checkout itself, so an edit needs no new installation.
    site=$(.venv/bin/python3 -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$here/builder" >"$site/hadeb.pth"
    # A path may be too long for a #! line, or hold a blank, so sh starts Python.
    cat >.venv/bin/hadeb <<HADEB
#!/bin/sh
'''exec' "$here/.venv/bin/python3" "\$0" "\$@"
' '''
import sys

from hadeb.__main__ import main

sys.exit(main())
HADEB
    chmod 755 .venv/bin/hadeb
    state requirements.lock >.venv/made-from-requirements.lock
}

hadeb() {
    ready requirements.lock && return
    # If two makes run at a time, the second waits, and finds the work done.
    exec 9<.
    ! command -v flock >/dev/null || flock 9
    ready requirements.lock || make_venv
    exec 9<&-
}

tools() {
    hadeb
    ready requirements-dev.lock && return
    exec 9<.
    ! command -v flock >/dev/null || flock 9
    if ! ready requirements-dev.lock; then
        fill requirements-dev.lock "the tools that check and test"
        state requirements-dev.lock >.venv/made-from-requirements-dev.lock
    fi
    exec 9<&-
}

for wanted; do
    case $wanted in
    hadeb | tools) "$wanted" ;;
    repo | lint | integration | system | peers | pictures) need "$wanted" ;;
    *) die "unknown: $wanted" ;;
    esac
done
