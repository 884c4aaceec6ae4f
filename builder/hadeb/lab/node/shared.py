# SPDX-License-Identifier: Apache-2.0
"""The directory that is on every node of a lab. Pure."""

# Where nodes have it, and where it is below the directory of the nodes' disks.
SHARED = "/run/lab-shared"
PLACE = ".shared"
