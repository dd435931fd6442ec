# SPDX-License-Identifier: Apache-2.0
"""The publishers of a topic whose nodes are not known yet."""

from types import SimpleNamespace

from monodepth_ros.ros.live.inputs import publishers as publishers_module
from monodepth_ros.ros.live.inputs.publishers import Publishers

IMAGE = "sensor_msgs/msg/Image"


class Graph:
    """What a node sees of one topic."""

    def __init__(self, *names):
        self.found = [SimpleNamespace(node_name=name, node_namespace="/", topic_type=IMAGE) for name in names]

    def count_publishers(self, topic):
        return len(self.found)

    def get_publishers_info_by_topic(self, topic):
        return self.found


def test_a_publisher_whose_node_is_not_known_yet_is_waited_for(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(publishers_module.time, "monotonic", lambda: now[0])
    graph = Graph("left", "_NODE_NAME_UNKNOWN_")
    publishers = Publishers(graph, "/image", IMAGE)
    assert not publishers.are_named
    now[0] += 1.0
    graph.found[1].node_name = "right"
    assert publishers.are_named and publishers.nodes == "/left and /right"


def test_a_publisher_that_is_no_ros_node_is_called_so_after_a_while(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(publishers_module.time, "monotonic", lambda: now[0])
    publishers = Publishers(Graph("left", "_NODE_NAME_UNKNOWN_"), "/image", IMAGE)
    assert not publishers.are_named
    now[0] += 4.0
    assert publishers.are_named and publishers.nodes == "/left and a node without a name"
