#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sets up a lab's view of the machine in new mount, pid and network namespaces.
#
#   namespaces.sh hold STATE CGROUP ADDRESS…   become the lab; it ends when stdin does, or stays
#                                              until it is killed once stdin has said "persist"
#   namespaces.sh sweep CGROUP                 remove a dead lab's cgroup, and what other labs left
#
# Everything in these namespaces ends with this process, and so does every mount, interface and
# address: the kernel cleans up, however hadeb itself ends.
set -eu

# The step that fails is named on standard output: hadeb knows a remedy for each.
step=
trap '[ "$?" = 0 ] || [ -z "$step" ] || echo "failed: $step"' EXIT

# One plain cgroup2 tree: on a v1/v2 hybrid hierarchy, a newer systemd refuses to boot.
plain_cgroups() {
    while mountpoint -q /sys/fs/cgroup; do
        umount -R /sys/fs/cgroup
    done
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
}

# Removes a cgroup and all cgroups below it, if they are empty.
remove() {
    find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} + 2>/dev/null
}

sweep() {
    plain_cgroups
    # A process takes a moment to end after its namespace. And the sweep of another container, which
    # has its own list of labs, may remove the cgroup at the same time.
    tries=100
    until [ ! -d "/sys/fs/cgroup/$1" ] || remove "$1"; do
        [ "$((tries -= 1))" -gt 0 ] || return 1
        sleep 0.05
    done
    # Those whose state is gone as well, with the container or the boot they ran in.
    for group in /sys/fs/cgroup/hadeb-lab-*; do
        if grep -qsx 'populated 0' "$group/cgroup.events"; then
            remove "${group##*/}" || :
        fi
    done
}

# Until this process is in it, the cgroup looks like one that a dead lab left.
join() {
    tries=100
    until mkdir -p "/sys/fs/cgroup/$1" && echo 0 >"/sys/fs/cgroup/$1/cgroup.procs"; do
        [ "$((tries -= 1))" -gt 0 ] || return 1
    done 2>/dev/null
}

# In a chroot the kernel refuses to create user namespaces, which hardened units need. So make the
# root directory the root of the mount namespace: entering a mount namespace, even one's own, leaves
# the chroot. If that fails, the nodes still boot.
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
    step=cgroups
    plain_cgroups
    step=group
    join "$cgroup"
    step=mounts
    # systemd-nspawn has its locks under /run: they end with the lab, and never meet another lab's.
    cd "$state"
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p "$state"
    # Not by its name, which the new /run hides.
    mount --no-canonicalize --bind . "$state"
    cd /
    mkdir -p "$state/nodes"
    # The nodes' disks are mounted here, and end with the lab.
    mount -t tmpfs -o mode=755,size=1m tmpfs "$state/nodes"
    # The storage that all nodes share: it outlives each of them.
    mkdir "$state/nodes/.shared"
    mount -t tmpfs -o mode=755,size=512m tmpfs "$state/nodes/.shared"
    step=bridge
    ip link set lo up
    # Without an address of its own the bridge takes over that of a node's cable, and changes it when
    # the node reboots: for up to a minute other nodes would answer clients at the old one.
    ip link add lab0 address 02:00:ac:10:00:fe type bridge
    for address; do
        ip address add "$address" dev lab0 nodad
    done
    ip link set lab0 up
    step=
    echo ready
    if ! read -r word || [ "$word" != persist ]; then
        exit
    fi
    echo persistent
    exec sleep infinity
}

"$@"
