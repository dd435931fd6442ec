# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench stages`: what a frame costs in the node besides the networks, each stage by itself.

Every stage is the node's own code on one image, in one process; messages go over DDS to a client in another one. The stages
take turns, round by round, so that a machine whose speed changes is the same one for all. The median and the fastest
of the rounds are given: on a busy machine the fastest is nearer the truth. `depth/points, listened to` is what its two
stages take together; `nobody listens` is the node's question who listens to what, for all of its topics. Odometry sees the
images of the sequence one after the other, there and back, with the bundled checkpoint's depth; `image check` is what
`odometry.source: network` does besides the network.
"""

import argparse
import dataclasses
import json
import shlex
import sys
import time
from pathlib import Path

from bench.live import KITTI_CAMERA, ROOT, size
from monodepth_ros.errors import MonodepthError

CLOUD = ("cloud, points", "cloud, message and publish")
TOPICS = ["depth/image", "depth/points"]
DISCOVERY_TIMEOUT = 20.0  # seconds


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of `scripts/bench stages`."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench stages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=size, default=(640, 192), help="network input (640x192)")
    parser.add_argument("--input", type=size, default=(1242, 375), help="size of the camera's images (1242x375)")
    parser.add_argument("--images", default="auto", help="as of scripts/bench live")
    parser.add_argument("--rounds", type=int, default=100, help="turns of each stage (100)")
    parser.add_argument("--results", default=str(ROOT / "results" / "bench"), help="folder of the result's JSON")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be positive")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Print the stages; write results/stages_<time>.json; 2 for bad input."""
    from bench.machine import commit, core_speed, machine, versions
    from bench.phase import spread

    options = parse(arguments)
    command = shlex.join(["scripts/bench", "stages", *(sys.argv[2:] if arguments is None else arguments)])
    try:
        times = measure(options)
    except MonodepthError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    times["depth/points, listened to"] = [sum(parts) for parts in zip(*(times[name] for name in CLOUD), strict=True)]
    stages = {name: spread(values) for name, values in times.items()}
    figures = {"command": command, "commit": commit(ROOT), "machine": machine(), "versions": versions()}
    figures |= {"core_gflops": round(core_speed(), 1), "stages_ms": stages}
    print(f"{'ms':34s}{'median':>10s}{'fastest':>10s}")
    for name, values in stages.items():
        print(f"{name:34s}{values['p50']:10.3f}{values['min']:10.3f}")
    print(f"core speed  {figures['core_gflops']:.0f} GFLOP/s")
    folder = Path(options.results)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"stages_{time.strftime('%Y-%m-%d_%H-%M-%S')}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(f"result      {path}")
    return 0


def measure(options: argparse.Namespace) -> dict[str, list[float]]:
    """Milliseconds of every round, by stage."""
    import rclpy

    from bench.worker import Worker

    sink = Worker("bench.sink", [], "the client")
    rclpy.init()
    try:
        sink.ask({"topics": TOPICS})
        return _measure(options)
    finally:
        sink.stop()
        rclpy.try_shutdown()


def _measure(options: argparse.Namespace) -> dict[str, list[float]]:
    import numpy as np
    from rclpy.lifecycle import LifecycleNode
    from sensor_msgs.msg import CompressedImage
    from std_msgs.msg import Header

    from bench.images import image_sequence
    from monodepth_ros.data.image_codec import decode_compressed, to_rgb
    from monodepth_ros.geometry.camera import CameraModel
    from monodepth_ros.networks.disparity import scale_disparity
    from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleKind
    from monodepth_ros.pictures.color_picture import color_picture
    from monodepth_ros.pipeline.config import CloudConfig, DepthConfig
    from monodepth_ros.pipeline.depth_image import depth_from_disparity, depth_statistics
    from monodepth_ros.pipeline.frame import FrameResult
    from monodepth_ros.pipeline.network_view import view_through
    from monodepth_ros.pipeline.point_cloud import colored_points
    from monodepth_ros.ros.live.outputs import DepthOutputs

    node = LifecycleNode("bench_stages")
    outputs = DepthOutputs(node, "")
    node.trigger_configure()
    node.trigger_activate()
    _wait_for_clients(outputs)
    sequence = image_sequence(options.images, *options.input, True).payloads
    message = CompressedImage(format="jpeg", data=sequence[0])
    pixels = decode_compressed(message)
    camera = CameraModel.from_normalized(*pixels.size, KITTI_CAMERA)
    lens = dataclasses.replace(camera, D=np.array((-0.2, 0.05, 0.0, 0.0, 0.0)))
    width, height = options.size
    view = view_through(camera, KITTI_CAMERA, width, height, "area")
    bent = view_through(lens, KITTI_CAMERA, width, height, "area")
    ranges, cloud_ranges = DepthConfig(), CloudConfig()
    disparity = np.linspace(0.01, 0.5, width * height, dtype=np.float32).reshape(height, width)
    rgb = to_rgb(view.resampler(pixels.array), pixels.layout)
    header = Header(frame_id="camera_optical")

    def make_depth():
        return depth_from_disparity(scale_disparity(disparity, 0.1, 100.0), 5.4, ranges.min_range, ranges.max_range)

    depth = make_depth()

    def make_points():
        return colored_points(depth, rgb, view.camera, 1, cloud_ranges.min_range, cloud_ranges.max_range)

    points, is_dense = make_points()
    result = FrameResult(1, view.camera, view, False, ScaleEstimate(5.4, ScaleKind.CHECKPOINT, "stated"))
    with_depth = dataclasses.replace(result, depth=depth)
    with_cloud = dataclasses.replace(result, cloud=points, cloud_is_dense=is_dense)
    motion = _motion_stages([decode_compressed(CompressedImage(format="jpeg", data=data)) for data in sequence], view)
    stages = {
        "JPEG": lambda: decode_compressed(message),
        "crop, resize": lambda: to_rgb(view.resampler(pixels.array), pixels.layout),
        "rectify, crop, resize": lambda: to_rgb(bent.resampler(pixels.array), pixels.layout),
        "depth image": make_depth,
        "depth image, message and publish": lambda: outputs.publish(with_depth, header, ranges),
        "statistics": lambda: depth_statistics(depth),
        "colour picture": lambda: color_picture(depth),
        "cloud, points": make_points,
        "cloud, message and publish": lambda: outputs.publish(with_cloud, header, ranges),
        "depth/points, nobody listens": lambda: outputs.demand(False),
        **motion,
    }
    times = {name: [] for name in stages}
    for turn in range(-3, options.rounds):  # the first to warm up
        for name, stage in stages.items():
            started = time.perf_counter()
            stage()
            if turn >= 0:
                times[name].append(1e3 * (time.perf_counter() - started))
        time.sleep(0.02)  # the client takes its messages
    outputs.close()
    node.destroy_node()
    return times


def _motion_stages(sequence: list, view) -> dict:
    """What follows the images (Pixels) of a sequence seen through a NetworkView, there and back, a step in each round."""
    import itertools

    from monodepth_ros.data.image_codec import to_rgb
    from monodepth_ros.inference.config import EngineConfig
    from monodepth_ros.inference.create_engine import create_engine
    from monodepth_ros.networks.bundled_checkpoint import bundled_checkpoint
    from monodepth_ros.networks.disparity import scale_disparity
    from monodepth_ros.odometry.checks import image_check
    from monodepth_ros.odometry.config import OdometryConfig
    from monodepth_ros.odometry.features.feature_odometry import FeatureOdometry
    from monodepth_ros.pipeline.network_view import view_through
    from monodepth_ros.pipeline.tracking_view import TrackingView

    engine = create_engine(bundled_checkpoint(), EngineConfig(device="cpu"))
    header = engine.header
    own = view_through(view.resampler.source, header.training_camera, header.width, header.height, header.filter)

    def inverse_depth(pixels):
        image = engine.load_image(to_rgb(own.resampler(pixels.array), pixels.layout))
        return scale_disparity(engine.disparity(image), header.min_depth, header.max_depth)

    seen = [(pixels, to_rgb(view.resampler(pixels.array), pixels.layout), inverse_depth(pixels)) for pixels in sequence]
    engine.release()
    small, large = TrackingView(view, header.filter, image_check.WIDTH), TrackingView(view, header.filter)
    check, features = image_check.ImageCheck(), FeatureOdometry(large.camera, OdometryConfig().max_points)
    there_and_back = seen + seen[-2:0:-1]
    of_check, of_features = itertools.cycle(there_and_back), itertools.cycle(there_and_back)

    def look():
        pixels, rgb, _ = next(of_check)
        check.update(small.render(pixels, rgb))

    def follow():
        pixels, rgb, depth = next(of_features)
        features.update(large.render(pixels, rgb), depth)

    return {"odometry, image check": look, "odometry, features": follow}


def _wait_for_clients(outputs) -> None:
    from bench.errors import BenchError

    deadline = time.monotonic() + DISCOVERY_TIMEOUT
    while not (outputs.demand(False).cloud and outputs.demand(False).depth):
        if time.monotonic() > deadline:
            raise BenchError("the client was not found; is another ROS_AUTOMATIC_DISCOVERY_RANGE set?")
        time.sleep(0.02)
