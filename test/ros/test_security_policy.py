# SPDX-License-Identifier: Apache-2.0
"""The SROS2 policy of a node names every topic and service that the node has, and no other."""

from xml.etree import ElementTree

import pytest

from monodepth_ros.ros.security_policy import Permissions, main, permissions_of, policy

ARGUMENTS = ["-r", "image:=/front/image_raw", "-r", "odom:=/visual/odom", "-r", "__node:=depth", "-r", "__ns:=/robot"]


def allowed(text, qualifier):
    """Names that a policy allows with an attribute, and how many groups have it."""
    groups = [group for group in ElementTree.fromstring(text).iter() if group.get(qualifier) == "ALLOW"]
    return {entry.text for group in groups for entry in group}


def test_every_topic_and_service_that_others_see_of_the_node_is_allowed(harness, depth_checkpoint):
    node = harness(depth_checkpoint, ARGUMENTS, start=False, odometry__imu_topic="imu", image_transport="auto")
    steps = node.on_executor(lambda: [node.node.trigger_configure().name, node.node.trigger_activate().name])
    assert steps == ["SUCCESS", "SUCCESS"]
    text = policy(permissions_of(node.node), "/robot/depth")
    seen = node.client.get_publisher_names_and_types_by_node
    node.wait(lambda: ("depth", "/robot") in node.client.get_node_names_and_namespaces() and seen("depth", "/robot"))
    for qualifier, look in (
        ("publish", node.client.get_publisher_names_and_types_by_node),
        ("subscribe", node.client.get_subscriber_names_and_types_by_node),
        ("reply", node.client.get_service_names_and_types_by_node),
    ):
        names = {name for name, _ in look("depth", "/robot")}
        assert names
        assert names <= allowed(text, qualifier)
    assert "/visual/odom" in allowed(text, "publish")
    assert {"/front/image_raw/compressed", "/front/camera_info", "/robot/imu"} <= allowed(text, "subscribe")
    assert "/front/image_raw" not in allowed(text, "publish")


def test_the_policy_has_the_form_of_sros2():
    permissions = Permissions(
        "node", "/", publishes=frozenset({"/b", "/a"}), subscribes=frozenset({"/c"}), offers=frozenset({"/d"})
    )
    root = ElementTree.fromstring(policy(permissions, "/place/node"))
    assert (root.tag, root.attrib) == ("policy", {"version": "0.2.0"})
    assert root.find("enclaves/enclave").get("path") == "/place/node"
    profile = root.find("enclaves/enclave/profiles/profile")
    assert profile.attrib == {"ns": "/", "node": "node"}
    assert [(group.tag, group.attrib, [entry.text for entry in group]) for group in profile] == [
        ("topics", {"publish": "ALLOW"}, ["/a", "/b"]),
        ("topics", {"subscribe": "ALLOW"}, ["/c"]),
        ("services", {"reply": "ALLOW"}, ["/d"]),
    ]


@pytest.mark.parametrize("arguments", [["-p", "checkpoint:=no_such_file"], ["-r", "not a rule"]])
def test_parameters_that_the_node_refuses_are_one_line(arguments, capfd, monkeypatch):
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "OFF")
    assert main(["--ros-args", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith("security_policy: ")
