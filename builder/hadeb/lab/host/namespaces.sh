#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The lab's own view of the machine, set up in fresh mount, pid and network namespaces.
#
#   namespaces.sh hold STATE CGROUP ADDRESS…   become the lab; it ends when stdin does, or stays
#                                              until it is killed once stdin has said "keep"
#   namespaces.sh sweep CGROUP                 remove a dead lab's cgroup, and all that others left
#
# Everything in these namespaces ends with this process, and every mount, interface and address
# with it: the kernel does the cleaning, however hadeb itself ends.
set -eu

# One plain cgroup2 tree: where the machine has a v1/v2 hybrid, a newer systemd refuses to boot.
plain_cgroups() {
    while mountpoint -q /sys/fs/cgroup; do
        umount -R /sys/fs/cgroup
    done
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
}

# Removes a cgroup and all below it, where nobody is in it any more.
remove() {
    find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} + 2>/dev/null
}

sweep() {
    plain_cgroups
    # A process takes a moment to be gone after its namespace ends; and another sweep, of a container
    # with a list of labs of its own, may take the cgroup away from under this one.
    tries=100
    until [ ! -d "/sys/fs/cgroup/$1" ] || remove "$1"; do
        [ "$((tries -= 1))" -gt 0 ] || return 1
        sleep 0.05
    done
    # Those whose state is gone too, with the container or the boot that they ran in.
    for group in /sys/fs/cgroup/hadeb-lab-*; do
        if grep -qsx 'populated 0' "$group/cgroup.events"; then
            remove "${group##*/}" || :
        fi
    done
}

# Until it is in, its cgroup looks like one that somebody left.
join() {
    tries=100
    until mkdir -p "/sys/fs/cgroup/$1" && echo 0 >"/sys/fs/cgroup/$1/cgroup.procs"; do
        [ "$((tries -= 1))" -gt 0 ] || return 1
    done 2>/dev/null
}

# In a chroot the kernel lets nobody make a user namespace, as hardened units do. So what is our
# root becomes the root of our mount namespace: whoever enters a namespace leaves the chroot, also
# where it is the own one. Where that fails, the nodes at least boot.
leave_chroot() {
    if [ "${HADEB_LAB_LEFT:-}" ] || unshare --user true 2>/dev/null; then
        return
    fi
    exec 9</
    # shellcheck disable=SC2016 # these are the inner shell's
    HADEB_LAB_LEFT=yes exec nsenter --mount=/proc/self/ns/mnt -- sh -c '
        cd /proc/self/fd/9
        if pivot_root . . 2>/dev/null; then
            umount -l .
            exec sh "$0" "$@" 9<&-
        fi
        exec chroot . sh "$0" "$@" 9<&-' "$0" "$@"
}

hold() {
    leave_chroot hold "$@"
    state=$1 cgroup=$2
    shift 2
    plain_cgroups
    join "$cgroup"
    # systemd-nspawn keeps its locks under /run: they go with the lab, and never meet another's.
    cd "$state"
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p "$state"
    # Not by its name, which is hidden now.
    mount --no-canonicalize --bind . "$state"
    cd /
    mkdir -p "$state/nodes"
    # Where the nodes' disks are mounted: gone with the lab.
    mount -t tmpfs -o mode=755,size=1m tmpfs "$state/nodes"
    ip link set lo up
    ip link add lab0 type bridge
    for address; do
        ip address add "$address" dev lab0 nodad
    done
    ip link set lab0 up
    echo ready
    if ! read -r word || [ "$word" != keep ]; then
        exit
    fi
    echo kept
    exec sleep infinity
}

"$@"
