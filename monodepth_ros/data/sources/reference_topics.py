# SPDX-License-Identifier: Apache-2.0
"""Topics of a recording that can serve as the reference of its images: depth images, point clouds and poses."""

from monodepth_ros.data.bags import depth_status
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.cameras.first_images import IMAGE
from monodepth_ros.data.cameras.image_names import base_name
from monodepth_ros.data.cameras.image_roles import DEPTH, OTHER, image_roles

POINT_CLOUD = "sensor_msgs/msg/PointCloud2"
ODOMETRY = "nav_msgs/msg/Odometry"
PATH = "nav_msgs/msg/Path"
POSE = "geometry_msgs/msg/PoseStamped"
POSE_WITH_COVARIANCE = "geometry_msgs/msg/PoseWithCovarianceStamped"
TRANSFORM = "geometry_msgs/msg/TransformStamped"
TF = "tf2_msgs/msg/TFMessage"
POSE_TYPES = (ODOMETRY, POSE, POSE_WITH_COVARIANCE, PATH, TRANSFORM, TF)
GROUND_TRUTH_WORDS = ("ground_truth", "groundtruth", "gt")
NETWORKS = ("depth_anything", "depthanything", "depth_pro", "midas", "zoedepth", "metric3d", "unidepth", "marigold")
NONE = "none"
"""Name of a topic that stands for no reference."""


def depth_topics(recording: Recording) -> list[str]:
    """Topics of depth images that sensors have measured, those named as ground truth first.

    One for each camera, raw rather than compressed. Depth that this package has estimated is left out: a DepthStatus
    stands beside it.
    """
    found: dict[str, str] = {}
    for name, role in image_roles(recording).items():
        base = base_name(name)
        if role.kind != DEPTH or _is_estimated(recording, base):
            continue
        if base not in found or recording.topics[name].type == IMAGE:
            found[base] = name
    return sorted(found.values(), key=lambda name: not is_ground_truth(name))


def undecided_topics(recording: Recording) -> dict[str, str]:
    """Image topics that may be depth if a user says so, and why they are not taken for it."""
    roles = image_roles(recording)
    return {name: role.reason for name, role in roles.items() if role.kind == OTHER and role.reason}


def is_estimated_name(topic: str) -> bool:
    """Whether the name is that of a network that estimates depth from a picture."""
    return any(network in topic.lower() for network in NETWORKS)


def cloud_topics(recording: Recording, camera_frame: str) -> list[str]:
    """Topics of LiDAR point clouds: those in another frame than the camera's, which holds the camera's own clouds.

    Without those named after a radar, whose points have no height.
    """
    clouds = [topic.name for topic in recording.topics.values() if topic.type == POINT_CLOUD and topic.count]
    clouds = [name for name in clouds if "radar" not in name.lower()]
    return [name for name in clouds if recording.first(name).header.frame_id != camera_frame]


def pose_topics(recording: Recording) -> list[str]:
    """Topics with poses of a moving frame, those named as ground truth first; without TF, which any robot has."""
    found = [topic.name for topic in recording.topics.values() if topic.type in POSE_TYPES and topic.count]
    found = [name for name in found if recording.topics[name].type != TF]
    return sorted(found, key=lambda name: not is_ground_truth(name))


def ground_truth_depth(recording: Recording) -> str:
    """The raw depth image topic with ground truth in its name, '' if there is none."""
    images = [name for name in depth_topics(recording) if recording.topics[name].type == IMAGE]
    return next(filter(is_ground_truth, images), "")


def ground_truth_odometry(recording: Recording) -> str:
    """The nav_msgs/Odometry topic with ground truth in its name, '' if there is none."""
    odometry = [name for name in pose_topics(recording) if recording.topics[name].type == ODOMETRY]
    return next(filter(is_ground_truth, odometry), "")


def is_ground_truth(topic: str) -> bool:
    """Whether a part of the topic's name says that it is ground truth."""
    return bool(set(topic.lower().split("/")) & set(GROUND_TRUTH_WORDS))


def _is_estimated(recording: Recording, base: str) -> bool:
    status = recording.topics.get(f"{base.rpartition('/')[0]}/status")
    return status is not None and status.type == depth_status.TYPE
