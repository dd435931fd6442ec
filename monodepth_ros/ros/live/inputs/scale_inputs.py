# SPDX-License-Identifier: Apache-2.0
"""Live inputs of a measured scale: the robot's odometry, the camera's height, and the place of its stereo partner."""

import time

from geometry_msgs.msg import TwistStamped, TwistWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.scale.source import CameraMount
from monodepth_ros.odometry.scale.stereo_images import StereoImages
from monodepth_ros.odometry.scale.travel_log import TravelLog
from monodepth_ros.pipeline.robot_inputs import odometry_messages
from monodepth_ros.pipeline.robot_inputs.camera_mount import MountError, find_mount, ground_frames
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.transforms import TransformError, TransformLookup, create_transform_lookup

TYPES = dict(zip(odometry_messages.TYPES, (Odometry, TwistStamped, TwistWithCovarianceStamped), strict=True))
# Period of looking for publishers of the odometry and their type, and whether messages come [s].
LOOK_PERIOD = 0.5
SILENCE = 5.0  # time without a message that is reported as a problem [s]
# Images whose stamps are this far from the newest of messages that come [s] are, this many in a row, of another clock.
FAR, FAR_IMAGES = 10.0, 5
RECENT = 1.0  # age of a message that comes [s]
# Wheel odometry is faster than a camera; best effort connects to every publisher.
ODOMETRY_QOS = QoSProfile(depth=100, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.BEST_EFFORT)


class ScaleInputs:
    """Subscribes to the topics that the settings name and a measured scale needs, and to no other.

    Call everything but `mount` on the executor's thread. travel: log that gets the odometry's messages; stereo: images
    of the stereo pair, which gets the partner's place from TF if the calibrations do not state it; both None for a
    camera without motion, which has no use for them.
    """

    def __init__(
        self,
        node,
        settings: ScaleConfig,
        travel: TravelLog | None,
        stereo: StereoImages | None,
        problems: Problems,
    ):
        self._node = node
        self._travel = travel
        self._stereo = stereo
        self._problems = problems
        self._subscription = self._timer = None
        self._transforms: TransformLookup | None = None
        self._moving_frame = ""
        self._passed_over, self._far, self._heard = 0, 0, time.monotonic()
        self._odometry: odometry_messages.OdometryMessages | None = None
        self._wants_pairs = False
        self._settings: ScaleConfig | None = None
        try:
            self.configure(settings)
        except Exception:  # a name that is no topic's
            self.close()
            raise

    def configure(self, settings: ScaleConfig) -> None:
        """Take over settings."""
        if settings == self._settings:
            return
        self._settings = settings
        has_use = self._travel is not None and settings.source in ("auto", "odometry")
        wants_odometry = bool(settings.odometry_topic) and has_use
        if wants_odometry and self._subscription is None and self._timer is None:
            self._listen()
        elif not wants_odometry:
            self._stop_listening()
        self._wants_pairs = self._stereo is not None and bool(settings.stereo_camera)
        needs_transforms = wants_odometry or self._wants_pairs or bool(ground_frames(settings))
        if needs_transforms and self._transforms is None:
            self._transforms = create_transform_lookup(self._node, self._problems.note_refused_transform)
        elif not needs_transforms and self._transforms is not None:
            self._transforms.close()
            self._transforms = None

    def close(self) -> None:
        """Release everything."""
        self._stop_listening()
        if self._transforms is not None:
            self._transforms.close()
            self._transforms = None

    @property
    def transforms(self) -> TransformLookup | None:
        """The transforms that place the camera; None unless the settings need them."""
        return self._transforms

    def mount(self, camera_frame: str, stamp_ns: int = 0) -> CameraMount:
        """The camera's mount by the newest TF, without waiting; updates `travel` and `stereo` as well.

        stamp_ns: of the image, to compare its clock with that of the odometry; 0 if it has none.
        """
        settings, transforms = self._settings, self._transforms
        if stamp_ns and self._subscription is not None:
            self._compare_clocks(stamp_ns)
        if transforms is not None and self._wants_pairs and self._stereo is not None and self._stereo.needs_mount:
            self._mount_partner(transforms, self._stereo, camera_frame)
        if transforms is not None and self._moving_frame and camera_frame:
            self._mount_on_robot(transforms, camera_frame)
        frames = ground_frames(settings)
        if transforms is None or not frames or not camera_frame:
            return CameraMount()
        try:
            found = find_mount(frames, lambda frame: transforms.lookup(frame, camera_frame, 0, 0.0))
        except MountError as error:
            self._problems.note("mount", f"scale: its height is not used: {error}")
            return CameraMount()
        if found is not None:
            return found[1]
        if not settings.camera_height:
            self._problems.note(
                "mount",
                f"scale: TF does not connect {camera_frame!r} with {' or '.join(frames)}, so its height is not known: "
                "publish that, or set scale.camera_height or scale.ground_frame",
            )
        return CameraMount()

    def _compare_clocks(self, stamp_ns: int) -> None:
        """Note that messages come whose stamps are never those of the images."""
        newest_ns = self._travel.newest_ns
        if newest_ns is None or time.monotonic() - self._heard > RECENT:
            return
        seconds = (newest_ns - stamp_ns) * 1e-9
        self._far = self._far + 1 if abs(seconds) > FAR else 0
        if self._far >= FAR_IMAGES:
            self._problems.note(
                "odometry clock",
                f"scale: the odometry on {self._settings.odometry_topic} is not used: its stamps are "
                f"{abs(seconds):.3g} s {'ahead of' if seconds > 0 else 'behind'} those of the images; synchronise the "
                "clocks of their computers, or let both follow /clock",
                is_lasting=True,
            )

    def _mount_on_robot(self, transforms: TransformLookup, camera_frame: str) -> None:
        try:
            T_robot_camera = transforms.lookup(self._moving_frame, camera_frame, 0, 0.0)
            self._travel.mount_camera(odometry_messages.lever_of(T_robot_camera))
        except (TransformError, MountError) as error:
            self._problems.note("lever", odometry_messages.without_lever(error))

    def _mount_partner(self, transforms: TransformLookup, stereo: StereoImages, camera_frame: str) -> None:
        try:
            stereo.mount(transforms.lookup(camera_frame, stereo.partner_frame, 0, 0.0))
        except TransformError as error:
            self._problems.note(
                "stereo",
                f"scale: the camera_info of {self._settings.stereo_camera} states no baseline (P[0,3]), and its place "
                f"is not in TF: {error}",
            )

    def _listen(self) -> None:
        message_type = TYPES.get(self._settings.odometry_type)
        if message_type is not None:
            self._subscribe(message_type)
        self._heard = time.monotonic()
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self._node.create_timer(LOOK_PERIOD, self._look, clock=clock)
        self._look()

    def _look(self) -> None:
        """Subscribe once a publisher of a known type is there, then watch that messages come."""
        if self._subscription is not None and time.monotonic() - self._heard <= SILENCE:
            return
        topic = self._node.resolve_topic_name(self._settings.odometry_topic)
        found = [publisher.topic_type for publisher in self._node.get_publishers_info_by_topic(topic)]
        if self._subscription is not None:
            self._report_of_silence(topic, sorted(set(found)))
            return
        for topic_type in found:
            message_type = TYPES.get(topic_type.rpartition("/")[2])
            if message_type is not None:
                self._heard = time.monotonic()
                self._subscribe(message_type)
                return
        what = f"its publishers send {', '.join(sorted(set(found)))}" if found else "it has no publisher"
        self._problems.note(
            "scale odometry",
            f"scale: no odometry on {topic}: {what}; scale.odometry_topic must name one of {', '.join(TYPES)}",
        )

    def _report_of_silence(self, topic: str, found: list[str]) -> None:
        """Note why no message comes: no publisher, one of another type than subscribed to, or one that is silent."""
        expected = self._subscription.msg_type.__name__
        if not found:
            what = "it has no publisher any more, or not yet; start the robot's odometry"
        elif any(kind.rpartition("/")[2] == expected for kind in found):
            what = f"nothing has come for {time.monotonic() - self._heard:.0f} s; is its driver stalled?"
        else:
            what = (
                f"its publishers send {', '.join(found)}, expected {expected}; set scale.odometry_type to auto, or "
                "name another topic"
            )
        self._problems.note("scale odometry", f"scale: no odometry on {topic}: {what}")

    def _subscribe(self, message_type) -> None:
        self._odometry = odometry_messages.OdometryMessages(self._travel)
        self._subscription = self._node.create_subscription(
            message_type, self._settings.odometry_topic, self._take, ODOMETRY_QOS
        )

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None

    def _stop_listening(self) -> None:
        self._end_timer()
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def _take(self, message) -> None:
        self._heard = time.monotonic()
        problem = self._odometry.add(message)
        topic = self._settings.odometry_topic
        if problem:
            self._passed_over += 1
            self._problems.note("odometry sample", f"scale: {topic}: {problem} ({self._passed_over} so far)")
        else:
            self._moving_frame = odometry_messages.moving_frame(message)
        if self._odometry.remark:
            self._problems.note("odometry twist", f"scale: {topic}: {self._odometry.remark}", is_lasting=True)
