# SPDX-License-Identifier: Apache-2.0
"""What is expected of a lens before any image is seen."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.calibration.lens import PARAMETERS, RADIAL, Lens

FOCAL = 10.0  # standard deviation of log f: none in practice
CENTRE = 0.02  # standard deviation of the principal point around the middle of the image, as a share of its width
RADIAL_TERMS = (0.3, 0.1, 0.05)  # standard deviations of k1, k2 and k3
TANGENTIAL = 1e-3  # standard deviation of p1 and p2, which only keep the other terms from bending
CENTRES = {"near": CENTRE, "fixed": 0.0, "free": np.inf}


@dataclass(frozen=True)
class LensPrior:
    """mean and standard deviation sigma (8,) of a lens's parameters; 0 fixes one, infinity is no prior."""

    mean: np.ndarray
    sigma: np.ndarray

    @property
    def is_free(self) -> np.ndarray:
        """Which of the parameters (8,) are estimated."""
        return self.sigma > 0

    def equations(self, lens: Lens) -> tuple[np.ndarray, np.ndarray]:
        """Information (8, 8) and gradient (8,) at a lens."""
        information = np.where(self.is_free, 1.0 / np.where(self.is_free, self.sigma, 1.0) ** 2, 0.0)
        return np.diag(information), information * (lens.parameters - self.mean)

    def cost(self, lens: Lens) -> float:
        """Half the squared distance from the mean, in standard deviations."""
        return 0.5 * float(self.equations(lens)[1] @ (lens.parameters - self.mean))


def lens_prior(width: int, height: int, centre: str, terms: int) -> LensPrior:
    """The prior for images of this size [pixels].

    centre: 'near' the middle of the image, 'fixed' there, or 'free'. terms: number of radial terms, 0 to 3; with any,
    the tangential terms are estimated as well.
    """
    sigma = np.zeros(PARAMETERS)
    sigma[:3] = FOCAL, CENTRES[centre] * width, CENTRES[centre] * width
    sigma[list(RADIAL[:terms])] = RADIAL_TERMS[:terms]
    sigma[5:7] = TANGENTIAL if terms else 0.0
    return LensPrior(Lens.centred(width, height, field_of_view=1.0).parameters, sigma)
