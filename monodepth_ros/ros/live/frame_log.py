# SPDX-License-Identifier: Apache-2.0
"""The log lines about a camera's view and scale when they change, and about outputs that hold nothing."""

from std_msgs.msg import Header

from monodepth_ros.foreign_text import shown
from monodepth_ros.pipeline.frame import FrameResult
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.pipeline.view_choice import ENOUGH, how_to_see_more
from monodepth_ros.ros.live.depth_watch import DepthWatch
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.node_log import NodeLog


class FrameLog:
    """Log a new view and a new source of the scale, and note a cloud that cannot be computed.

    A view or source that changes again and again is logged once in a while, at last as it is then. scale_kind: the
    source of the scale at the start. part: the setting image.view.
    """

    def __init__(self, log: NodeLog, problems: Problems, scale_kind: int, part: str):
        self._log = log
        self._problems = problems
        self._view = self._said = ""
        self._is_narrow = False
        self._scale_kind = scale_kind
        self._part = part
        self._watch = DepthWatch()

    def add(self, result: FrameResult, header: Header, cloud_wanted: bool, config: NodeConfig) -> None:
        """Take over the result of a frame. config: the settings that it was made with."""
        if reason := self._watch.observe(result, config):
            self._problems.note("empty depth", reason)
        if result.has_new_view:
            camera, view = result.view.image_camera, result.view
            frame = shown(header.frame_id) or "no frame_id"
            self._view = f"{camera.width}x{camera.height} from {frame}: {view.summary}"
            self._is_narrow = view.image_coverage < ENOUGH
        if self._view != self._said and self._log.is_due("view"):
            self._said = self._view
            if self._is_narrow:
                self._log.warning(f"{self._view}; {how_to_see_more(self._part)}")
            else:
                self._log.info(self._view)
        scale = result.scale
        if scale.kind != self._scale_kind and scale.is_known and self._log.is_due("scale source"):
            self._scale_kind = scale.kind
            self._log.info(f"scale now from {scale.description}")
        if cloud_wanted and not result.view.is_calibrated:
            self._problems.note(
                "cloud",
                "no cloud: the camera is not calibrated (K[0] is 0); publish its camera_info or set calibration_file",
            )
