# SPDX-License-Identifier: Apache-2.0
r"""The lab: disposable Debian machines and Pacemaker clusters in containers on this machine.

One machine with systemd as PID 1, if you need no cluster (as root, ready in 1 s):

    from hadeb.lab.node.machine import machine

    with machine("bookworm") as node:
        node.push(Path("dist/sample-tcp-server_1.0_all.deb"), "/root/sample.deb")
        node.exec("dpkg", "--install", "/root/sample.deb")           # raises CommandFailed
        done = node.sh("systemctl is-active nonesuch", check=False)  # .returncode .stdout .stderr
        node.write("/run/sample-tcp-server/A.conf", "greet=Hi!\n", mode=0o644)
        node.read("/etc/hostname")                                   # bytes
        node.journal("--unit=dbus.service")                          # str
        node.cut_power()
        node.boot()                                                  # the same disk
        node.shutdown()

It never reaches the network, and leaves nothing on the machine, however the program ends.
"""
