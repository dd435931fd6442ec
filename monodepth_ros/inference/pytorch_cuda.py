# SPDX-License-Identifier: Apache-2.0
"""Inference with PyTorch on CUDA: recorded networks on their own stream; the host waits only for results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from monodepth_ros.inference.cuda_graphs import CudaQueue, Replayed
from monodepth_ros.inference.engine import LoadedImage, check_image, motion_matrix, no_pose_network
from monodepth_ros.inference.pytorch import PytorchEngine
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint
from monodepth_ros.networks.disparity import scale_disparity


@dataclass(eq=False)
class CudaImage(LoadedImage):
    """An image (1, H, W, 3) uint8 on the device. Its tensors are its own and belong to no recording.

    mean_inverse_depth is a tensor (1,) float32.
    """

    expected_earlier: "CudaImage | None" = None
    """Earlier image of the motion that is expected to be asked for."""
    expected_motion: Callable[[], np.ndarray] | None = None
    """Fetches that motion's numbers, once they are queued."""


class CudaEngine(PytorchEngine):
    """`PytorchEngine` with CUDA graphs, and with the pixels' conversion on the device.

    The first pass of each size of batch and image takes longer, because it is recorded. `warn` gets the reason if
    recording fails.
    queue: the device's stream; tests replace it.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "cuda",
        precision: str = "auto",
        warn: Callable[[str], None] = lambda line: None,
        queue: CudaQueue | None = None,
    ):
        super().__init__(checkpoint, device, precision)
        self._queue = queue or CudaQueue(self._device)
        self._replayed_depth = Replayed(self._depth_outputs, self._queue.record, warn)
        self._replayed_pose = Replayed(self._pose_outputs, self._queue.record, warn)

    def load_image(self, rgb: np.ndarray) -> CudaImage:
        self._require_networks()
        check_image(rgb, self._sizes)
        with self._queue.current():
            return CudaImage(self._queue.upload(rgb[None]))

    @torch.inference_mode()
    def disparities(self, images: Sequence[CudaImage]) -> list[np.ndarray]:
        self._require_networks()
        if not images:
            return []
        with self._queue.current():
            found = self._queue.download(self._queue_depth(images))
            for image in images:
                self._queue_expected_motion(image)
        return list(found())

    def expect_motion(self, earlier: CudaImage, later: CudaImage) -> None:
        later.expected_earlier, later.expected_motion = earlier, None
        # Otherwise each image would keep all images before it alive.
        earlier.expected_earlier = earlier.expected_motion = None

    @torch.inference_mode()
    def motion(self, earlier: CudaImage, later: CudaImage) -> np.ndarray:
        self._require_networks()
        if not self.has_pose:
            raise no_pose_network()
        found = later.expected_motion if later.expected_earlier is earlier else None
        if found is None:
            with self._queue.current():
                found = self._queue_motion(earlier, later)
        numbers = found()
        return motion_matrix(numbers[:6], *map(float, numbers[6:]))

    def release(self) -> None:
        if self._replayed_depth is not None:
            self._queue.wait()
        self._replayed_depth = self._replayed_pose = None
        super().release()

    def _queue_depth(self, images: Sequence[CudaImage]) -> Tensor:
        """Disparity (B, H, W), which the next call may overwrite. The images keep the results that `motion` needs."""
        disparity, *kept = self._replayed_depth([image.pixels for image in images])
        if self.has_pose and self._pose.uses_depth_features:
            for image, feature in zip(images, kept[0].split(1), strict=True):
                image.deepest_feature = feature.clone()
        elif self.has_pose and self._pose.times_mean_inverse_depth:
            for image, mean in zip(images, kept[0].split(1), strict=True):
                image.mean_inverse_depth = mean.clone()
        return disparity

    def _queue_expected_motion(self, image: CudaImage) -> None:
        if image.expected_earlier is None or image.expected_motion is not None:
            return
        try:
            image.expected_motion = self._queue_motion(image.expected_earlier, image)
        except RuntimeError:  # depth must not fail for it; `motion` raises it again
            image.expected_earlier = None

    def _queue_motion(self, earlier: CudaImage, later: CudaImage) -> Callable[[], np.ndarray]:
        """The six numbers of a pair and, if the pose network needs it, the factor of the translation."""
        pair = [earlier.pixels, later.pixels]
        if self._pose.uses_depth_features:
            for image in (earlier, later):
                if image.deepest_feature is None:
                    self._queue_depth([image])
            pair = [earlier.deepest_feature, later.deepest_feature]
        # In training, either image of a pair may be the target; here the later one's depth is available.
        if self._pose.times_mean_inverse_depth and later.mean_inverse_depth is None:
            self._queue_depth([later])
        numbers = self._replayed_pose(*([item] for item in pair))[0][0]
        if self._pose.times_mean_inverse_depth:
            numbers = torch.cat((numbers, later.mean_inverse_depth))
        return self._queue.download(numbers)

    def _depth_outputs(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """(B, H, W, 3) uint8 -> disparity (B, H, W) float32, and the result (B, ...) that the images keep, if any."""
        disparity, deepest_feature = self._infer_depth(self._network_input(pixels))
        if self.has_pose and self._pose.uses_depth_features:
            return disparity, deepest_feature
        if self.has_pose and self._pose.times_mean_inverse_depth:
            inverse_depth = scale_disparity(disparity, self.header.min_depth, self.header.max_depth)
            return disparity, inverse_depth.mean(dim=(1, 2))
        return (disparity,)

    def _pose_outputs(self, earlier: Tensor, later: Tensor) -> tuple[Tensor, ...]:
        """Two batches of features, or of pixels (B, H, W, 3) uint8 -> (B, 6) float32."""
        if not self._pose.uses_depth_features:
            earlier, later = self._network_input(earlier), self._network_input(later)
        return (self._infer_motion(earlier, later),)
