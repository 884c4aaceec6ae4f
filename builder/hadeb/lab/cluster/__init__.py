# SPDX-License-Identifier: Apache-2.0
"""A Pacemaker cluster of nodes: configuration, fencing, and labs that stay up."""
