# SPDX-License-Identifier: Apache-2.0
"""What is expected of a lens before any image is seen."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.calibration.lens import Lens

FOCAL = 10.0  # standard deviation of log f: none in practice
CENTRE = 0.02  # standard deviation of the principal point around the middle of the image, as a share of its width
TERMS = (0.3, 0.1)  # standard deviations of k1 and k2
CENTRES = {"near": CENTRE, "fixed": 0.0, "free": np.inf}


@dataclass(frozen=True)
class LensPrior:
    """mean and standard deviation sigma (5,) of log f, cx, cy, k1, k2; 0 fixes a parameter, infinity is no prior."""

    mean: np.ndarray
    sigma: np.ndarray

    @property
    def is_free(self) -> np.ndarray:
        """Which of the parameters (5,) are estimated."""
        return self.sigma > 0

    def equations(self, lens: Lens) -> tuple[np.ndarray, np.ndarray]:
        """Information (5, 5) and gradient (5,) at a lens."""
        information = np.where(self.is_free, 1.0 / np.where(self.is_free, self.sigma, 1.0) ** 2, 0.0)
        return np.diag(information), information * (lens.parameters - self.mean)

    def cost(self, lens: Lens) -> float:
        """Half the squared distance from the mean, in standard deviations."""
        return 0.5 * float(self.equations(lens)[1] @ (lens.parameters - self.mean))


def lens_prior(width: int, height: int, centre: str, terms: int) -> LensPrior:
    """The prior for images of this size [pixels].

    centre: 'near' the middle of the image, 'fixed' there, or 'free'. terms: number of radial terms, 0 to 2.
    """
    sigma = np.array([FOCAL, *[CENTRES[centre] * width] * 2, *TERMS])
    sigma[3 + terms :] = 0.0
    return LensPrior(Lens.centred(width, height, field_of_view=1.0).parameters, sigma)
