"""The bundled demonstration checkpoint: a compact depth and pose pair taught by the synthetic world's exact depth and motion.

    python3 -m monodepth_ros.training.demonstration --out demonstration.safetensors

About half an hour on two cores. Supervision is what only a synthetic world offers; cameras that exist are learned from
without it.
"""

import argparse
import copy
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from monodepth_ros.data.synthetic.drive import Drive, default_camera
from monodepth_ros.evaluation.depth_metrics import DepthMetrics, evaluate_depth, mean_metrics
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import invert
from monodepth_ros.geometry.resample import Resampler
from monodepth_ros.inference.choice import create_engine
from monodepth_ros.networks.checkpoint import CheckpointHeader, load_checkpoint, save_checkpoint
from monodepth_ros.networks.disparity import disparity_to_depth, scale_disparity
from monodepth_ros.networks.registry import build_depth, build_pose
from monodepth_ros.training.supervised import FARTHEST, Schedule, fit, motion_loss, multi_scale_depth_loss

WIDTH, HEIGHT = 416, 128
RENDERED = (640, 192)
# A network unit of ten metres keeps the depths of a street where the sigmoid is neither flat nor saturated.
METRES_PER_UNIT = 10.0
MIN_DEPTH, MAX_DEPTH = 0.1, 100.0
RATE = 10.0
UNSEEN_SEEDS = range(1000, 1004)
# Pairs of neighbours, of every other frame, in both directions of time, and of a frame with itself: speeds from
# standstill to twice what the drives show, forward and backward.
PAIR_STEPS = (1, 1, 1, 2, -1, 0)


@dataclass(frozen=True)
class Clip:
    """Frames of one drive. images: (N, H, W, 3) uint8; depths: (N, H, W) float16 [m]; poses: (N, 4, 4) T_world_camera."""

    images: np.ndarray
    depths: np.ndarray
    poses: np.ndarray


def render_clip(task: tuple[int, int, str]) -> str:
    """Render the frames of one seed at the network's size into an .npz file; its path."""
    seed, frames, folder = task
    cv2.setNumThreads(1)
    camera = default_camera(*RENDERED)
    shrink = Resampler(camera, camera.resized(WIDTH, HEIGHT))
    columns = np.rint((np.arange(WIDTH) + 0.5) * RENDERED[0] / WIDTH - 0.5).astype(int)
    rows = np.rint((np.arange(HEIGHT) + 0.5) * RENDERED[1] / HEIGHT - 0.5).astype(int)
    images, depths, poses = [], [], []
    for frame in Drive(seed=seed, seconds=frames / RATE, rate=RATE):
        images.append(shrink(frame.image))
        depths.append(frame.depth[np.ix_(rows, columns)].astype(np.float16))
        poses.append(frame.T_world_camera)
    path = str(Path(folder) / f"{seed}.npz")
    np.savez(path, images=images, depths=depths, poses=poses)
    return path


def render(seeds, frames: int, folder: str) -> list[Clip]:
    """Clips of some seeds, on two processes."""
    with get_context("spawn").Pool(2) as pool:
        paths = pool.map(render_clip, [(seed, frames, folder) for seed in seeds], chunksize=1)
    return [Clip(**np.load(path)) for path in paths]


def to_images(arrays: list[np.ndarray]) -> Tensor:
    """(B, 3, H, W) in [0, 1], channels last."""
    batch = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float().div_(255)
    return batch.contiguous(memory_format=torch.channels_last)


def jitter(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Brightness, contrast and colour balance, one draw per sample (B); all of a tuple's images get the same."""
    shape = (len(images), 1, 1, 1)
    gain = torch.from_numpy(rng.uniform(0.7, 1.3, shape).astype(np.float32))
    balance = torch.from_numpy(rng.uniform(0.9, 1.1, (len(images), 3, 1, 1)).astype(np.float32))
    contrast = torch.from_numpy(rng.uniform(0.8, 1.2, shape).astype(np.float32))
    return (((images - 0.5) * contrast + 0.5) * gain * balance).clamp(0, 1)


def depth_batches(clips: list[Clip], size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless (images (B, 3, H, W), depths (B, 1, H, W) [m]), mirrored half of the time."""
    while True:
        images, depths = [], []
        for _ in range(size):
            clip = clips[rng.integers(len(clips))]
            i = rng.integers(len(clip.images))
            flip = -1 if rng.random() < 0.5 else 1
            images.append(clip.images[i][:, ::flip])
            depths.append(clip.depths[i][:, ::flip])
        truth = torch.from_numpy(np.stack(depths).astype(np.float32))[:, None]
        yield jitter(to_images(images), rng), truth


def motion_batches(
    clips: list[Clip], inverse_depths: list[np.ndarray], size: int, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Endless (earlier, later, mean inverse depth of later (B, 1), T_later_earlier (B, 4, 4) in network units)."""
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
    while True:
        earlier, later, scales, motions = [], [], [], []
        for _ in range(size):
            n = rng.integers(len(clips))
            clip, step = clips[n], PAIR_STEPS[rng.integers(len(PAIR_STEPS))]
            i = rng.integers(max(0, -step), len(clip.images) - max(0, step))
            T_later_earlier = invert(clip.poses[i + step]) @ clip.poses[i]
            flip = 1
            if rng.random() < 0.5:
                flip, T_later_earlier = -1, mirror @ T_later_earlier @ mirror
            T_later_earlier[:3, 3] /= METRES_PER_UNIT
            earlier.append(clip.images[i][:, ::flip])
            later.append(clip.images[i + step][:, ::flip])
            scales.append(inverse_depths[n][i + step])
            motions.append(T_later_earlier)
        both = torch.stack((to_images(earlier), to_images(later)))
        state = rng.bit_generator.state
        first = jitter(both[0], rng)
        rng.bit_generator.state = state
        second = jitter(both[1], rng)
        yield first, second, torch.tensor(np.array(scales), dtype=torch.float32)[:, None], torch.tensor(
            np.stack(motions), dtype=torch.float32
        )


def mean_inverse_depths(network: torch.nn.Module, clips: list[Clip]) -> list[np.ndarray]:
    """Spatial mean of the network's inverse depth [1 / network unit] of every frame: what posecnn's translation is times."""
    network.eval()
    found = []
    with torch.inference_mode():
        for clip in clips:
            means = []
            for i in range(0, len(clip.images), 16):
                images = torch.from_numpy(clip.images[i : i + 16]).permute(0, 3, 1, 2).float().div_(255)
                means.append(scale_disparity(network(images, (0,))[0], MIN_DEPTH, MAX_DEPTH).mean(dim=(1, 2, 3)))
            found.append(torch.cat(means).numpy())
    return found


def evaluate(checkpoint_path: Path, clips: list[Clip]) -> tuple[DepthMetrics, float, float]:
    """On clips: depth metrics (metric, no scaling), translation drift [share of the path] and rotation drift [rad/m]."""
    checkpoint = load_checkpoint(checkpoint_path)
    engine = create_engine(checkpoint, "cpu")
    metrics, drift, turn, path_length = [], 0.0, 0.0, 0.0
    for clip in clips:
        images = [engine.load_image(np.ascontiguousarray(image)) for image in clip.images]
        for image, truth in list(zip(images, clip.depths))[::5]:
            depth = METRES_PER_UNIT * disparity_to_depth(engine.disparity(image), MIN_DEPTH, MAX_DEPTH)
            metrics.append(evaluate_depth(truth.astype(np.float32), depth, crop="none", scaling="none"))
        pose = np.eye(4)
        for i in range(1, len(images)):
            T_earlier_later = invert(engine.motion(images[i - 1], images[i]))
            T_earlier_later[:3, 3] *= METRES_PER_UNIT
            pose = pose @ T_earlier_later
        truth = invert(clip.poses[0]) @ clip.poses[-1]
        length = float(np.linalg.norm(np.diff(clip.poses[:, :3, 3], axis=0), axis=1).sum())
        error = invert(truth) @ pose
        drift += float(np.linalg.norm(error[:3, 3]))
        turn += float(np.arccos(np.clip((np.trace(error[:3, :3]) - 1) / 2, -1, 1)))
        path_length += length
    return mean_metrics(metrics), drift / path_length, turn / path_length


def main() -> None:
    """Render, teach, measure on drives with unseen seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write (or to measure)")
    parser.add_argument("--measure", action="store_true", help="only measure the file on drives with unseen seeds")
    parser.add_argument("--drives", type=int, default=32, help="seeds to learn from")
    parser.add_argument("--frames", type=int, default=50, help="frames of each")
    parser.add_argument("--depth-steps", type=int, default=1800)
    parser.add_argument("--pose-steps", type=int, default=2500)
    parser.add_argument("--batch", type=int, default=4)
    options = parser.parse_args()
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        say("rendering drives")
        unseen = render(UNSEEN_SEEDS, options.frames, folder)
        if not options.measure:
            teach(options, render(range(options.drives), options.frames, folder), say)
    metrics, drift, turn = evaluate(options.out, unseen)
    say(
        f"unseen seeds, metric, up to {FARTHEST:.0f} m: abs_rel {metrics.abs_rel:.3f}, rmse {metrics.rmse:.2f} m, "
        f"a1 {metrics.a1:.3f}; drift {100 * drift:.1f} % of the path, {np.degrees(turn):.3f} deg/m"
    )


def teach(options: argparse.Namespace, clips: list[Clip], say: Callable[[str], None]) -> None:
    """Depth, then motion, then the file."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    depth, pose = build_depth("rt_monodepth_s"), build_pose("posecnn")
    depth, pose = (network.to(memory_format=torch.channels_last) for network in (depth, pose))
    say("teaching depth")
    fit(
        depth,
        depth_batches(clips, options.batch, rng),
        lambda images, truth: multi_scale_depth_loss(depth, images, truth, MIN_DEPTH, MAX_DEPTH, METRES_PER_UNIT),
        Schedule(options.depth_steps, 5e-4, lambda step, loss: say(f"depth step {step}: loss {loss:.4f}")),
    )

    def pose_loss(earlier: Tensor, later: Tensor, inverse_depth: Tensor, T_later_earlier: Tensor) -> Tensor:
        axis_angle, translation = pose(earlier, later)
        return motion_loss(axis_angle, translation * inverse_depth, T_later_earlier)

    say("teaching motion")
    fit(
        pose,
        motion_batches(clips, mean_inverse_depths(depth, clips), options.batch, rng),
        pose_loss,
        Schedule(options.pose_steps, 5e-4, lambda step, loss: say(f"pose step {step}: loss {loss:.4f}")),
    )
    camera = CameraModel.from_normalized(WIDTH, HEIGHT, (0.58, 1.92, 0.5, 0.5))
    header = CheckpointHeader(
        depth_network="rt_monodepth_s",
        pose_network="posecnn",
        height=HEIGHT,
        width=WIDTH,
        training_camera=camera.normalized,
        min_depth=MIN_DEPTH,
        max_depth=MAX_DEPTH,
        pose_interval=1 / RATE,
        scale_kind="metric",
        scale_factor=METRES_PER_UNIT,
        scale_origin="exact depth of the synthetic world",
        training_data=f"{options.drives} drives of {options.frames} frames of the synthetic world (demonstration grade)",
        licence="Apache-2.0",
    )
    save_checkpoint(options.out, header, copy.deepcopy(depth), copy.deepcopy(pose), torch.float16)
    say(f"saved {options.out}, {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
