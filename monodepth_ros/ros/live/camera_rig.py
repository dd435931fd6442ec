# SPDX-License-Identifier: Apache-2.0
"""The networks, and all the cameras that share them."""

import numpy as np

from monodepth_ros.errors import typed_line
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import BUNDLED_NAME, NO_CHECKPOINT, bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.pipeline.depth_batch import infer_depth
from monodepth_ros.pipeline.frame_pipeline import FramePipeline, check_scale
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.live import counters
from monodepth_ros.ros.live.camera_health import camera_health
from monodepth_ros.ros.live.camera_stream import CameraStream
from monodepth_ros.ros.live.diagnostics import Health
from monodepth_ros.ros.live.frame_worker import FrameWorker
from monodepth_ros.ros.live.inputs.image_flow import Arrival
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.node_log import node_log


class CameraRig:
    """One engine, one worker thread, and a stream for each camera.

    The worker takes the newest frame of every camera that has one and runs the depth network on them as one batch. It
    waits for no camera.

    config: the node-wide settings; without a checkpoint the bundled one runs, with a warning. configs: the settings of
    each camera, by its name. A single camera without a name has the node's own topics. Loads the checkpoint and warms
    up; raises a MonodepthError, or any error of the device.
    """

    def __init__(self, node, config: NodeConfig, configs: dict[str, NodeConfig]):
        self._logger = node_log(node)
        self.checkpoint = config.checkpoint or BUNDLED_NAME
        if not config.checkpoint:
            self._logger.warning(f"{NO_CHECKPOINT}; set the parameter checkpoint to weights for your camera")
        checkpoint = load_checkpoint(config.checkpoint or bundled_checkpoint())
        self.header = checkpoint.header
        self.title = checkpoint.title
        self.streams: list[CameraStream] = []
        self._worker: FrameWorker[CameraStream, Arrival] | None = None
        self._problems = Problems(self._logger)
        self._batches = dict.fromkeys(range(1, len(configs) + 1), 0)
        self._config = config
        self.engine = create_engine(checkpoint, config, self._logger.warning)
        try:
            leader = FramePipeline(self.engine, self.header, configs[config.odometry_camera])
            pipelines = {
                name: leader if name == config.odometry_camera else FramePipeline(self.engine, self.header, own, leader)
                for name, own in configs.items()
            }
            self._warm_up(len(configs))
            for name, pipeline in pipelines.items():
                stream = CameraStream(node, name, configs[name], pipeline, self.engine, self.checkpoint)
                self.streams.append(stream)
                if name == config.scale.stereo_camera:
                    stream.partner_of = leader
        except Exception:
            self.close()
            raise
        self._announce(next(iter(pipelines.values())))

    def _warm_up(self, cameras: int) -> None:
        """Run every batch size once, so that no live frame waits for a first run."""
        self.engine.warm_up()
        image = self.engine.load_image(np.zeros((self.header.height, self.header.width, 3), np.uint8))
        for count in range(2, cameras + 1):
            self.engine.disparities([image] * count)

    def _announce(self, pipeline: FramePipeline) -> None:
        engine, config = self.engine, self._config
        self._logger.info(f"{self.title}: {self.header.summary()}")
        self._logger.info(f"{engine.name} on {engine.device} ({engine.precision}); {pipeline.scale.description}")
        if not config.odometry.enabled:
            self._logger.info("odometry disabled: odometry.enabled is false")
        elif pipeline.has_odometry:
            self._logger.info(f"odometry from {pipeline.motion_description}")
        elif not self.header.pose_network:
            self._logger.info(
                "odometry disabled: odometry.source is network but the checkpoint has no pose network; set it to auto"
            )

    def activate(self) -> None:
        """Subscribe and process."""
        # Before the subscriptions, which may deliver at once.
        self._worker = FrameWorker(
            self._handle,
            replaced=lambda stream, arrival: stream.counters.count(counters.REPLACED),
            dropped=lambda stream, arrival: stream.counters.count(counters.UNWANTED),
        )
        for stream in self.streams:
            stream.activate(self._worker.submit)

    def deactivate(self) -> None:
        """Release the subscriptions, and finish the frames that are being processed."""
        for stream in self.streams:
            stream.unsubscribe()
        if self._worker is not None and not self._worker.stop():
            self._logger.warning("a frame is still being processed; not waiting for it")
        self._worker = None
        for stream in self.streams:
            stream.deactivate()

    def close(self) -> None:
        """Release everything, including the device's memory."""
        self.deactivate()
        for stream in self.streams:
            stream.close()
        self.streams = []
        self.engine.release()

    def check(self, config: NodeConfig) -> None:
        """Raise a MonodepthError for settings that this checkpoint does not support."""
        check_scale(config, self.header, self.engine.has_pose)

    def configure(self, configs: dict[str, NodeConfig]) -> None:
        """Take over live settings."""
        for stream in self.streams:
            stream.configure(configs[stream.name])

    def reset_odometry(self) -> None:
        """Begin a new trajectory with the next frame."""
        for stream in self.streams:
            stream.reset_odometry()

    def _handle(self, arrivals: dict[CameraStream, Arrival]) -> None:
        """Process one frame of each of these cameras."""
        begun = [(stream, stream.begin(arrival)) for stream, arrival in arrivals.items()]
        frames = [(stream, pending) for stream, pending in begun if pending is not None]
        try:
            failure = infer_depth(self.engine, [pending.prepared for _, pending in frames])
        except Exception as error:  # these frames are lost, and no others
            failure = error
            for _, pending in frames:
                pending.prepared.failure = pending.prepared.failure or error
        if failure is not None:
            reason = typed_line(failure)
            self._problems.note("batch", f"a batch of {len(frames)} frames failed, repeated one by one: {reason}")
        # No camera's depth waits for another camera's motion.
        published = [(stream, pending) for stream, pending in frames if stream.publish_depth(pending)]
        for stream, pending in published:
            stream.finish(pending)
        if frames:
            self._batches[len(frames)] += 1

    def report(self) -> list[Health]:
        """Diagnostics of each camera, then of the networks."""
        health = Health("networks", self.engine.device)
        health.values["engine"] = f"{self.engine.name} on {self.engine.device} ({self.engine.precision})"
        health.values["checkpoint"] = self.title
        health.values["batches by size"] = ", ".join(f"{size}: {n}" for size, n in self._batches.items())
        for problem in self._problems.current():
            health.warn(problem.message)
        for stream in self.streams:
            stream.note_time()
        return [*map(camera_health, self.streams), health]
