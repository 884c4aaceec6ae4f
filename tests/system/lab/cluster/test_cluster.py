# SPDX-License-Identifier: Apache-2.0
"""A cluster of the lab is a cluster: quorum, members, and resources that move."""

from __future__ import annotations

import pytest

from hadeb.debian.releases import Suite
from hadeb.errors import UsageError
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.cluster.configuration import corosync_conf


def test_corosync_sets_two_node_only_for_two_nodes() -> None:
    two = {"ha1": "10.0.0.1", "ha2": "10.0.0.2"}
    assert "two_node: 1" in corosync_conf(two, {})
    assert "two_node" not in corosync_conf({**two, "ha3": "10.0.0.3"}, {})


@pytest.mark.parametrize("size", [1, 6])
def test_a_cluster_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(UsageError):
        Cluster("bookworm", size=size)


@pytest.mark.usefixtures("as_root")
def test_one_of_two_nodes_goes_on_alone(suite: Suite) -> None:
    with Cluster(suite, size=2) as cluster:
        cluster.pcs("resource create DUMMY ocf:pacemaker:Dummy")
        cluster.settle()
        first = cluster.where("DUMMY")
        assert first
        cluster[first].cut_power()
        cluster.wait_online()
        cluster.settle()
        (alone,) = cluster.status().online
        assert alone != first
        assert cluster.where("DUMMY") == alone
        cluster[first].boot()
        cluster.wait_online()
        assert cluster.status().online == {"ha1", "ha2"}
