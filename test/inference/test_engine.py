# SPDX-License-Identifier: Apache-2.0
"""Properties that every engine on the CPU has."""

import dataclasses

import numpy as np
import pytest
import torch

from monodepth_ros.geometry.motion import axis_angle_to_rotation
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.disparity import scale_disparity
from monodepth_ros.networks.formula_weights import fill_networks_with_formula, formula_image
from monodepth_ros.networks.registry import build_depth, build_pose

NEEDS = {"pytorch": (), "openvino": ("openvino",), "onnxruntime": ("onnxruntime", "onnx")}
PYTORCH = EngineConfig(device="cpu", engine="pytorch", precision="fp32")


@pytest.fixture(params=list(NEEDS))
def create(request, monkeypatch, tmp_path):
    """Creates each engine in float32 on the CPU, with an empty cache."""
    for package in NEEDS[request.param]:
        pytest.importorskip(package, reason=f"no {package}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return lambda checkpoint: create_engine(checkpoint, dataclasses.replace(PYTORCH, engine=request.param))


def checkpoint_of(depth, pose="", height=64, width=96):
    header = CheckpointHeader(
        depth_network=depth,
        pose_network=pose,
        height=height,
        width=width,
        training_camera=(0.58, 1.92, 0.5, 0.5),
    )
    networks = build_depth(depth).eval(), build_pose(pose).eval() if pose else None
    fill_networks_with_formula(*networks)
    return Checkpoint(header, *networks, path="memory", sha256="")


def picture(phase=0.0, height=64, width=96):
    return np.ascontiguousarray((255 * formula_image(phase, height, width)).round().astype(np.uint8).transpose(1, 2, 0))


def as_tensor(rgb):
    return torch.from_numpy(rgb.transpose(2, 0, 1)[None].copy()).to(torch.float32) / 255


@pytest.mark.parametrize("name", ["resnet18", "rt_monodepth_s"])
def test_disparity_equals_the_network_s_output(create, name):
    checkpoint = checkpoint_of(name)
    engine = create(checkpoint)
    disparity = engine.disparity(engine.load_image(picture()))
    with torch.inference_mode():
        expected = checkpoint.depth(as_tensor(picture()))[0][0, 0].numpy()
    assert disparity.dtype == np.float32 and disparity.shape == (64, 96)
    assert np.abs(disparity - expected).max() < 1e-5


def test_motion_at_the_reference_size_has_the_reference_numbers(create):
    engine = create(checkpoint_of("rt_monodepth_s", "separate_resnet18", 192, 640))
    images = [engine.load_image(picture(phase, 192, 640)) for phase in (0.0, 0.7)]
    T_later_earlier = engine.motion(*images)
    # Rounding the images to 8 bits changes the motion by up to 0.002.
    expected = axis_angle_to_rotation([0.082392396635833, -0.3476267160316218, 0.11310209059155471])
    assert T_later_earlier.dtype == np.float64
    assert T_later_earlier[:3, :3] == pytest.approx(expected, abs=2e-3)
    assert T_later_earlier[:3, 3] == pytest.approx([0.1932027, -0.1700958, -0.2953540], abs=2e-3)
    assert T_later_earlier[3].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("depth", "pose"),
    [("rt_monodepth_s", "separate_resnet18"), ("resnet18", "shared_resnet18"), ("rt_monodepth_s", "posecnn")],
)
def test_motion_is_rigid_and_does_not_depend_on_earlier_calls_of_disparity(create, depth, pose):
    engine = create(checkpoint_of(depth, pose))
    engine.warm_up()
    fresh = engine.motion(engine.load_image(picture(0.0)), engine.load_image(picture(0.7)))
    earlier, later = engine.load_image(picture(0.0)), engine.load_image(picture(0.7))
    engine.disparity(earlier)
    engine.disparity(later)
    assert engine.motion(earlier, later) == pytest.approx(fresh, abs=1e-9)
    rotation = fresh[:3, :3]
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.norm(fresh[:3, 3]) > 0


def test_shared_features_are_computed_once_per_image():
    engine = create_engine(checkpoint_of("resnet18", "shared_resnet18"), PYTORCH)
    passes = []
    handle = torch.nn.modules.module.register_module_forward_hook(
        lambda module, *_: passes.append(1) if type(module).__name__ == "ResNetEncoder" else None
    )
    try:
        images = [engine.load_image(picture(phase)) for phase in (0.0, 0.3, 0.6)]
        for image in images:
            engine.disparity(image)
        engine.motion(images[0], images[1])
        engine.motion(images[1], images[2])
    finally:
        handle.remove()
    assert len(passes) == 3


def test_posecnn_s_translation_is_in_the_units_of_the_depth(create):
    checkpoint = checkpoint_of("rt_monodepth_s", "posecnn")
    engine = create(checkpoint)
    earlier, later = picture(0.0), picture(0.7)
    with torch.inference_mode():
        raw = checkpoint.pose(as_tensor(earlier), as_tensor(later))[1][0].numpy()
        disparity = checkpoint.depth(as_tensor(later))[0]
    expected = raw * scale_disparity(disparity, 0.1, 100.0).mean().item()
    found = engine.motion(engine.load_image(earlier), engine.load_image(later))[:3, 3]
    assert found == pytest.approx(expected, rel=1e-4)


def test_motion_without_a_pose_network_is_refused(create):
    engine = create(checkpoint_of("rt_monodepth_s"))
    image = engine.load_image(picture())
    assert not engine.has_pose
    with pytest.raises(EngineError, match="no pose network"):
        engine.motion(image, image)


def test_motion_that_is_not_finite_is_all_nan():
    checkpoint = checkpoint_of("rt_monodepth_s", "posecnn")
    with torch.no_grad():
        checkpoint.pose.pose_conv.bias[0] = float("nan")
    engine = create_engine(checkpoint, PYTORCH)
    assert np.isnan(engine.motion(engine.load_image(picture(0.0)), engine.load_image(picture(0.7)))).all()


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((64, 95, 3), np.uint8),
        np.zeros((64, 96), np.uint8),
        np.zeros((64, 96, 4), np.uint8),
        np.zeros((64, 96, 3), np.float32),
        np.zeros((3, 64, 96), np.uint8),
    ],
)
def test_wrong_images_are_refused(create, rgb):
    engine = create(checkpoint_of("rt_monodepth_s"))
    with pytest.raises(EngineError, match=r"the network takes uint8 \(64, 96, 3\)"):
        engine.load_image(rgb)


def test_images_of_any_memory_layout_are_copied_correctly(create):
    engine = create(checkpoint_of("rt_monodepth_s"))
    rgb = picture()
    expected = engine.disparity(engine.load_image(rgb))
    mirrored_channels = np.ascontiguousarray(rgb[..., ::-1])[..., ::-1]
    read_only = np.frombuffer(rgb.tobytes(), np.uint8).reshape(rgb.shape)
    for layout in (mirrored_channels, read_only, np.asfortranarray(rgb)):
        assert np.array_equal(engine.disparity(engine.load_image(layout)), expected)
    image = engine.load_image(rgb)
    rgb[:] = 0
    assert np.array_equal(engine.disparity(image), expected)


def test_bf16_is_close_to_fp32():
    checkpoint = checkpoint_of("rt_monodepth_s")
    exact, rough = (
        create_engine(checkpoint, dataclasses.replace(PYTORCH, precision=precision)) for precision in ("fp32", "bf16")
    )
    assert (exact.precision, rough.precision) == ("fp32", "bf16")
    found = rough.disparity(rough.load_image(picture()))
    assert found.dtype == np.float32
    error = np.abs(found - exact.disparity(exact.load_image(picture())))
    assert error.mean() < 0.02, f"mean {error.mean()}, max {error.max()}"


def test_engines_do_not_change_the_checkpoint():
    checkpoint = checkpoint_of("rt_monodepth_s", "posecnn")
    create_engine(checkpoint, EngineConfig(device="cpu", precision="bf16")).release()
    for network in (checkpoint.depth, checkpoint.pose):
        assert all(parameter.dtype == torch.float32 and parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "", "CPU", "cpu:0"])
def test_unknown_devices_are_refused(device):
    with pytest.raises(EngineError, match="unknown device.*auto, cpu, cuda or cuda:N"):
        create_engine(checkpoint_of("rt_monodepth_s"), EngineConfig(device=device))


def test_a_missing_device_is_refused():
    with pytest.raises(EngineError, match="'cuda:99': PyTorch sees .* CUDA device"):
        create_engine(checkpoint_of("rt_monodepth_s"), EngineConfig(device="cuda:99"))


@pytest.mark.parametrize(
    ("precision", "expected"), [("int8", "unknown precision 'int8'"), ("fp16", "needs a CUDA device")]
)
def test_unsupported_precisions_are_refused(precision, expected):
    with pytest.raises(EngineError, match=expected):
        create_engine(checkpoint_of("rt_monodepth_s"), EngineConfig(device="cpu", precision=precision))


def test_auto_selects_a_working_device():
    engine = create_engine(checkpoint_of("rt_monodepth_s"), EngineConfig(engine="pytorch"))
    assert engine.name == "pytorch"
    assert engine.device == ("cuda:0" if torch.cuda.is_available() else "cpu")
    assert engine.precision in (("fp16",) if torch.cuda.is_available() else ("bf16", "fp32"))
    engine.warm_up()
    assert np.isfinite(engine.disparity(engine.load_image(picture()))).all()


def test_a_batch_gives_the_results_of_single_images(create):
    engine = create(checkpoint_of("resnet18", "shared_resnet18"))
    images = [engine.load_image(picture(phase)) for phase in (0.0, 0.3, 0.6)]
    together = engine.disparities(images)
    motion = engine.motion(images[0], images[2])
    alone = [engine.load_image(picture(phase)) for phase in (0.0, 0.3, 0.6)]
    for found, image in zip(together, alone, strict=True):
        assert found.shape == (64, 96)
        assert np.abs(found - engine.disparity(image)).max() < 1e-5
    assert motion == pytest.approx(engine.motion(alone[0], alone[2]), abs=1e-6)
    assert engine.disparities([]) == []


def test_calls_of_a_released_engine_are_refused(create):
    engine = create(checkpoint_of("rt_monodepth_s", "posecnn"))
    image = engine.load_image(picture())
    engine.release()
    engine.release()
    for call in (
        lambda: engine.load_image(picture()),
        lambda: engine.disparity(image),
        lambda: engine.motion(image, image),
    ):
        with pytest.raises(EngineError, match="has been released"):
            call()


def test_a_path_is_loaded(tmp_path):
    checkpoint = checkpoint_of("rt_monodepth_s")
    save_checkpoint(tmp_path / "a.safetensors", dataclasses.replace(checkpoint.header, versions={}), checkpoint.depth)
    assert create_engine(tmp_path / "a.safetensors", EngineConfig(device="cpu")).device == "cpu"
