"""Real weights on a real drive: RT-MonoDepth-S on all frames of KITTI 2011_09_26_drive_0052."""

import cv2
import pytest

from monodepth_ros.evaluation.depth_metrics import evaluate_depth, mean_metrics
from monodepth_ros.inference.choice import create_engine
from monodepth_ros.networks.checkpoint import load_checkpoint
from monodepth_ros.networks.disparity import depth_at_size, scale_disparity


@pytest.fixture(scope="module")
def drive(monodepth_data):
    """Images at the network's size and depth maps in metres, by frame."""
    folder = monodepth_data / "kitti_raw_2011_09_26_drive_0052"
    frames = []
    for path in sorted((folder / "proj_depth_png16").rglob("*.png")):
        image = cv2.imread(str(next((folder / "image_02").rglob(f"{path.stem}.*"))))
        small = cv2.resize(image, (640, 192), interpolation=cv2.INTER_AREA)[..., ::-1]
        frames.append((small, cv2.imread(str(path), cv2.IMREAD_UNCHANGED) / 256.0))
    if len(frames) != 78:
        pytest.skip(f"{len(frames)} frames with ground truth in {folder}, expected 78")
    return frames


@pytest.mark.parametrize(
    ("name", "is_metric", "scaling", "expected"), [("m", False, "median", 0.223), ("ms", True, "none", 0.233)]
)
def test_abs_rel_is_that_of_the_published_weights(monodepth_data, drive, name, is_metric, scaling, expected):
    checkpoint = load_checkpoint(monodepth_data / "rtmonodepth_s_weights" / f"{name}_640_192")
    header = checkpoint.header
    assert header.summary().startswith("rt_monodepth_s 640x192")
    assert header.is_metric is is_metric and header.scale_factor == (5.4 if is_metric else 1.0)
    engine = create_engine(checkpoint, "cpu")
    metrics = []
    for image, ground_truth in drive:
        scaled = scale_disparity(
            engine.disparity(engine.load_image(image)), header.min_depth, header.max_depth
        )
        depth = depth_at_size(scaled, ground_truth.shape[::-1]) * header.scale_factor
        metrics.append(evaluate_depth(ground_truth, depth, scaling=scaling))
    mean = mean_metrics(metrics)
    print(name, mean)
    assert mean.abs_rel == pytest.approx(expected, abs=0.005), mean
