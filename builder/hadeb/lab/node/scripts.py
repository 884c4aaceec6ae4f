# SPDX-License-Identifier: Apache-2.0
"""The scripts that make and boot a node, and the files and the environment that it gets."""

ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    "TERM=dumb",
    "DEBIAN_FRONTEND=noninteractive",
)
SETUP = """
set -eu
lower=$1 base=$2
mkdir -p "$base"
mount -t tmpfs -o mode=755,size=512m tmpfs "$base"
mkdir -p "$base/upper" "$base/work" "$base/root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$base/upper,workdir=$base/work" "$base/root"
"""
BOOT = """
set -eu
group=/sys/fs/cgroup/$1 notify=$2
shift 2
mkdir -p "$group"
echo 0 > "$group/cgroup.procs"
NOTIFY_SOCKET=$notify exec "$@"
"""
LEFT = """
export=/run/systemd/nspawn/unix-export/$1
ip link delete "vb-$1" 2>/dev/null
mountpoint -q "$export" && umount -l "$export"
[ ! -d "$export" ] || rmdir "$export"
"""
WRITE = 'mkdir -p "${1%/*}" && cat > "$1" && chmod "$2" "$1"'
