# SPDX-License-Identifier: Apache-2.0
"""Measures of cars."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """Side view of a car [m]: x from the rear bumper, z above the ground."""

    length: float
    width: float
    height: float
    belt: float  # z of the lower edge of the windows
    bonnet: float  # z of the front edge of the bonnet
    boot: float  # z of the rear edge of the boot
    windscreen: tuple[float, float]  # x of its lower and its upper edge
    rear_window: tuple[float, float]  # x of its lower and its upper edge
    wheels: tuple[float, float]  # x of the axles
    wheel_radius: float = 0.32
    pillars: tuple[float, ...] = (0.5,)  # shares of the roof's length


HATCHBACK = Shape(
    length=4.0,
    width=1.74,
    height=1.47,
    belt=0.93,
    bonnet=0.78,
    boot=0.9,
    windscreen=(3.02, 2.25),
    rear_window=(0.16, 0.62),
    wheels=(0.72, 3.24),
)
SALOON = Shape(
    length=4.6,
    width=1.80,
    height=1.44,
    belt=0.92,
    bonnet=0.76,
    boot=0.95,
    windscreen=(3.4, 2.65),
    rear_window=(0.5, 1.2),
    wheels=(0.88, 3.72),
)
ESTATE = Shape(
    length=4.6,
    width=1.80,
    height=1.48,
    belt=0.93,
    bonnet=0.76,
    boot=0.92,
    windscreen=(3.4, 2.65),
    rear_window=(0.1, 0.36),
    wheels=(0.88, 3.72),
    pillars=(0.38, 0.72),
)
OFF_ROADER = Shape(
    length=4.4,
    width=1.86,
    height=1.70,
    belt=1.06,
    bonnet=0.98,
    boot=1.02,
    windscreen=(3.25, 2.6),
    rear_window=(0.14, 0.5),
    wheels=(0.8, 3.56),
    wheel_radius=0.37,
)
VAN = Shape(
    length=4.9,
    width=1.92,
    height=1.98,
    belt=1.12,
    bonnet=1.02,
    boot=1.1,
    windscreen=(4.15, 3.3),
    rear_window=(0.05, 0.12),
    wheels=(0.95, 4.0),
    wheel_radius=0.34,
    pillars=(0.62,),
)
SHAPES = (HATCHBACK, SALOON, ESTATE, OFF_ROADER, VAN)
