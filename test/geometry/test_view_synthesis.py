# SPDX-License-Identifier: Apache-2.0
"""View synthesis: known results, gradients, pixel convention."""

import cv2
import numpy as np
import pytest
import torch

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import axis_angle_to_rotation, invert, make_transform
from monodepth_ros.geometry.sampling_grid import sampling_grid
from monodepth_ros.geometry.warp import backproject, project, transform_from_axis_angle, warp

CAMERA = CameraModel.pinhole(64, 48, 40.0, 42.0, 30.5, 24.25)
K = torch.from_numpy(CAMERA.K.copy())[None]
HEIGHT, WIDTH = 48, 64


def identity(batch=1, dtype=torch.float64):
    return torch.eye(4, dtype=dtype).expand(batch, 4, 4)


def smooth_image(batch=1):
    """(B, 3, H, W) in [0, 1], slowly varying."""
    v, u = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    planes = [torch.sin(0.11 * u + 0.05 * v + phase) / 2 + 0.5 for phase in (0.0, 1.0, 2.0)]
    return torch.stack(planes).double().expand(batch, 3, HEIGHT, WIDTH)


def random_depth(batch=1, low=1.0, high=20.0):
    generator = torch.Generator().manual_seed(0)
    return low + (high - low) * torch.rand(batch, 1, HEIGHT, WIDTH, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-6)])
def test_without_motion_the_image_does_not_change(dtype, tolerance):
    image, depth = smooth_image(2).to(dtype), random_depth(2).to(dtype)
    warped = warp(image, depth, K.to(dtype), identity(2, dtype))
    error = (warped - image).abs().max().item()
    assert warped.dtype == dtype and error < tolerance, error


def test_points_and_pixels_agree_with_the_camera_model():
    depth = random_depth()
    points = backproject(depth, K)
    pixels = np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), axis=-1).astype(np.float64)
    expected = CAMERA.backproject(pixels, depth[0, 0].numpy())
    assert np.abs(points[0].permute(1, 2, 0).numpy() - expected).max() < 1e-12
    T = make_transform(axis_angle_to_rotation([0.01, -0.03, 0.02]), [0.1, -0.05, 0.2])
    seen, grid = project(points, K, torch.from_numpy(T)[None])
    moved = CAMERA.project(expected @ T[:3, :3].T + T[:3, 3])
    assert np.abs(seen[0].numpy() - moved).max() < 1e-5  # the division is by z + 1e-7
    last = torch.tensor([WIDTH - 1, HEIGHT - 1])
    assert ((grid + 1) / 2 * last - seen).abs().max() < 1e-12


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (54, 74)])
def test_the_grid_equals_backprojection_motion_and_projection(size):
    T = make_transform(axis_angle_to_rotation([0.01, -0.03, 0.02]), [0.1, -0.05, 0.2])
    T = torch.from_numpy(np.stack((T, invert(T))))
    depth = random_depth(2)
    _, expected = project(backproject(depth, K), K, T, size)
    assert (sampling_grid(depth, K, T, size) - expected).abs().max() < 1e-6


def test_a_plane_warps_by_its_homography():
    """Points on n.X = d in the target: x_source ~ K (R + t n^T / d) K^-1 x_target."""
    T = make_transform(axis_angle_to_rotation([0.02, 0.03, -0.01]), [0.2, -0.1, 0.3])
    normal, distance = np.array([0.1, 0.3, 0.95]), 6.0
    rays = CAMERA.ray_grid().astype(np.float64)
    depth = torch.from_numpy(distance / (rays @ normal))[None, None]
    homography = CAMERA.K @ (T[:3, :3] + np.outer(T[:3, 3], normal) / distance) @ np.linalg.inv(CAMERA.K)
    pixels = np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), axis=-1).astype(np.float64)
    expected = cv2.perspectiveTransform(pixels.reshape(-1, 1, 2), homography).reshape(HEIGHT, WIDTH, 2)
    seen, _ = project(backproject(depth, K), K, torch.from_numpy(T)[None])
    error = np.abs(seen[0].numpy() - expected).max()
    assert error < 1e-4, f"{error} px"

    image = smooth_image()
    warped = warp(image, depth, K, torch.from_numpy(T)[None])[0].permute(1, 2, 0).numpy()
    theirs = cv2.remap(
        image[0].permute(1, 2, 0).numpy().astype(np.float32),
        *(expected[..., i].astype(np.float32) for i in (0, 1)),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    assert np.abs(warped - theirs).max() < 5e-3


def test_a_sideways_step_of_one_disparity_shifts_by_whole_pixels():
    """Depth f b / 5 with baseline b: the source sees everything 5 px further left, exactly."""
    T = identity().clone()
    T[0, 0, 3] = -0.5
    depth = torch.full((1, 1, HEIGHT, WIDTH), 40.0 * 0.5 / 5, dtype=torch.float64)
    image = torch.rand(1, 3, HEIGHT, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    warped = warp(image, depth, K, T)
    assert (warped[..., 5:] - image[..., :-5]).abs().max() < 1e-5
    assert (warped[..., :5] - image[..., :1]).abs().max() < 1e-5  # border


def test_a_source_of_another_size_is_sampled_by_its_own_pixels():
    source = torch.nn.functional.pad(smooth_image(), (0, 10, 0, 6), mode="replicate")
    warped = warp(source, random_depth(), K, identity())
    assert warped.shape == (1, 3, HEIGHT, WIDTH) and (warped - smooth_image()).abs().max() < 1e-6


def test_the_caller_chooses_the_pixel_convention():
    normalised = torch.tensor([[0.58, 0, 0.5], [0, 1.92, 0.5], [0, 0, 1]], dtype=torch.float64)
    K_reference = (torch.diag(torch.tensor([640.0, 192.0, 1.0], dtype=torch.float64)) @ normalised)[None]
    depth = torch.ones(1, 1, 192, 640, dtype=torch.float64)
    points = backproject(depth, K_reference)
    assert points[0, :, 96, 320].tolist() == [0.0, 0.0, 1.0] and points[0, 0, 0, 0] == -320 / 371.2


def test_transforms_equal_rodrigues_and_the_inverse_is_exact():
    generator = torch.Generator().manual_seed(0)
    w, t = (torch.randn(8, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    T, back = transform_from_axis_angle(w, t), transform_from_axis_angle(w, t, invert=True)
    for i in range(8):
        expected = make_transform(axis_angle_to_rotation(w[i].numpy()), t[i].numpy())
        assert np.abs(T[i].numpy() - expected).max() < 1e-6  # the axis is divided by |v| + 1e-7
        assert np.abs(back[i].numpy() - invert(T[i].numpy())).max() < 1e-15


def test_gradients_are_right():
    generator = torch.Generator().manual_seed(0)
    w, t = (0.1 * torch.randn(2, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    depth = 2 + torch.rand(2, 1, 3, 4, generator=generator, dtype=torch.float64)
    image = torch.rand(2, 2, 3, 4, generator=generator, dtype=torch.float64)
    small = torch.tensor([[3.0, 0, 1.5], [0, 3, 1], [0, 0, 1]], dtype=torch.float64)[None]
    inputs = [tensor.requires_grad_() for tensor in (w, t, depth, image)]
    assert torch.autograd.gradcheck(transform_from_axis_angle, inputs[:2])
    assert torch.autograd.gradcheck(lambda a, b: transform_from_axis_angle(a, b, invert=True), inputs[:2])
    assert torch.autograd.gradcheck(
        lambda a, b, c, d: warp(d, c, small, transform_from_axis_angle(a, b)), inputs, atol=1e-4
    )


@pytest.mark.parametrize("invert_it", [False, True])
def test_gradients_are_finite_at_zero_motion(invert_it):
    w, t = (torch.zeros(1, 3, requires_grad=True) for _ in range(2))
    depth = random_depth().float().requires_grad_()
    T = transform_from_axis_angle(w, t, invert_it)
    assert torch.equal(T, torch.eye(4)[None])
    (warp(smooth_image().float(), depth, K.float(), T) ** 2).sum().backward()
    for gradient in (w.grad, t.grad, depth.grad):
        assert torch.isfinite(gradient).all()
    assert t.grad.abs().max() > 0


def test_half_precision_training_keeps_the_geometry_exact():
    image, depth, T = smooth_image().float(), random_depth().float(), identity(dtype=torch.float32).clone()
    T[0, :3, 3] = torch.tensor([0.1, 0.02, -0.2])
    expected = warp(image, depth, K.float(), T)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        warped = warp(image.bfloat16(), depth, K.float(), T)
    assert warped.dtype == torch.float32
    assert (warped - expected).abs().max() < 5e-3  # the image was rounded, the grid was not
    assert backproject(depth.bfloat16(), K).dtype == torch.float32


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="depth has shape"):
        backproject(torch.ones(1, HEIGHT, WIDTH), K)
    with pytest.raises(ValueError, match=r"T_source_target has shape \(1, 3, 4\)"):
        warp(smooth_image(), random_depth(), K, identity()[:, :3])
    with pytest.raises(ValueError, match="axis_angle has shape"):
        transform_from_axis_angle(torch.zeros(3), torch.zeros(3))
