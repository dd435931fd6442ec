# SPDX-License-Identifier: Apache-2.0
"""The header of a checkpoint: its networks, their training camera and the meaning of their scale."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import shown
from monodepth_ros.limits import DEPTH_RANGE, LONGEST_HEADER_TEXT, MOST_NETWORK_PIXELS, SCALE_RANGE
from monodepth_ros.networks.depth_network import NetworkError, check_size
from monodepth_ros.networks.registry import DEPTH_NETWORKS, POSE_NETWORKS
from monodepth_ros.networks.resnet import NORMALIZATION
from monodepth_ros.structured_text import StructuredTextError, parse_json

FORMAT_VERSION = 1
FILTERS = ("area", "bilinear", "lanczos")
SCALE_KINDS = ("relative", "metric")
POSE_ORDER = "earlier_later"
POSE_DIRECTION = "T_later_earlier"
LARGEST_SIDE = 8192
_MOST_VERSIONS = 100


class CheckpointError(MonodepthError):
    """A missing, damaged, foreign or hostile checkpoint, or one of a newer version."""


@dataclass(frozen=True)
class CheckpointHeader:
    """The header of a checkpoint. Raises CheckpointError, in one line, for the first wrong value."""

    depth_network: str
    """Name in `networks.registry.DEPTH_NETWORKS`."""
    height: int
    """Rows of the network's input, a multiple of 32."""
    width: int
    """Columns of the network's input, a multiple of 32."""
    training_camera: tuple[float, float, float, float]
    """fx / W, fy / H, (cx + 1/2) / W, (cy + 1/2) / H of the network's input in training, after the crop."""
    pose_network: str = ""
    """Name in `networks.registry.POSE_NETWORKS`; empty if there is no pose network."""
    min_depth: float = 0.1
    """Depth at a disparity of 1, in network units."""
    max_depth: float = 100.0
    """Depth at a disparity of 0, in network units."""
    filter: str = "area"
    """Filter that resized the training images: area, bilinear or lanczos."""
    normalization: tuple[float, float] = NORMALIZATION
    """Mean and standard deviation with which the network normalises its input itself."""
    pose_interval: float = 0.1
    """Time between the two frames of a training pair [s]."""
    pose_order: str = POSE_ORDER
    pose_direction: str = POSE_DIRECTION
    scale_kind: str = "relative"
    """metric: network units times scale_factor are metres; relative: the size of a network unit is unknown."""
    scale_factor: float = 1.0
    """Metres per network unit; 1 for a relative checkpoint."""
    scale_origin: str = ""
    """Origin of the scale, in words."""
    training_data: str = ""
    """Description of the training data."""
    licence: str = ""
    """Licence of the weights."""
    versions: dict[str, str] = field(default_factory=dict)
    """Versions of the software that wrote the weights, by name."""
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        _check_format_version(self.format_version)
        for name in ("training_camera", "normalization"):
            value = getattr(self, name)
            if isinstance(value, list):
                object.__setattr__(self, name, tuple(value))
        self._check_types()
        self._check_choices()
        self._check_ranges()

    def _check_types(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            expected, fits = TYPES[item.type]
            _require(fits(value), item.name, value, expected)
            if item.type is float:
                object.__setattr__(self, item.name, float(value))

    def _check_choices(self) -> None:
        choices = {
            "depth_network": tuple(DEPTH_NETWORKS),
            "pose_network": ("", *POSE_NETWORKS),
            "filter": FILTERS,
            "normalization": (NORMALIZATION,),
            "pose_order": (POSE_ORDER,),
            "pose_direction": (POSE_DIRECTION,),
            "scale_kind": SCALE_KINDS,
        }
        for name, known in choices.items():
            value = getattr(self, name)
            _require(value in known, name, value, "one of " + ", ".join(repr(choice) for choice in known))
        if self.pose_network.startswith("shared_"):
            fits = self.pose_network == f"shared_{self.depth_network}"
            _require(
                fits,
                "pose_network",
                self.pose_network,
                f"one that shares the encoder of {self.depth_network}",
            )

    def _check_ranges(self) -> None:
        try:
            check_size(self.width, self.height)
        except NetworkError as error:
            raise CheckpointError(f"header: {error}") from None
        largest = max(self.width, self.height)
        _require(largest <= LARGEST_SIDE, "size", largest, f"at most {LARGEST_SIDE} pixels")
        pixels = self.width * self.height
        _require(
            pixels <= MOST_NETWORK_PIXELS,
            "size",
            f"{self.width}x{self.height}",
            f"at most {MOST_NETWORK_PIXELS} pixels",
        )
        fx, fy, cx, cy = self.training_camera
        fits = 0.01 <= fx <= 100 and 0.01 <= fy <= 100 and -10 <= cx <= 10 and -10 <= cy <= 10
        _require(fits, "training_camera", self.training_camera, "(fx, fy, cx, cy) divided by the image size")
        nearest, farthest = DEPTH_RANGE
        _require(self.min_depth > 0, "min_depth", self.min_depth, "a positive number")
        _require(self.min_depth >= nearest, "min_depth", self.min_depth, f"at least {nearest:g}")
        fits = self.max_depth > self.min_depth
        _require(fits, "max_depth", self.max_depth, f"a number above min_depth {self.min_depth:g}")
        _require(self.max_depth <= farthest, "max_depth", self.max_depth, f"at most {farthest:g}")
        _require(0 < self.pose_interval <= 60, "pose_interval", self.pose_interval, "seconds in (0, 60]")
        if self.scale_kind == "relative":
            _require(self.scale_factor == 1, "scale_factor", self.scale_factor, "1 for a relative checkpoint")
        _require(self.scale_factor > 0, "scale_factor", self.scale_factor, "a positive number")
        least, most = SCALE_RANGE
        fits = least <= self.scale_factor <= most
        _require(fits, "scale_factor", self.scale_factor, f"metres per network unit from {least:g} to {most:g}")

    @property
    def is_metric(self) -> bool:
        """Whether network units times scale_factor are metres."""
        return self.scale_kind == "metric"

    def summary(self) -> str:
        """The checkpoint in one line, for a log."""
        scale = f"metric (x{self.scale_factor:g})" if self.is_metric else "relative scale"
        pose = f"pose {self.pose_network}" if self.pose_network else "no pose network"
        return f"{self.depth_network} {self.width}x{self.height}, {scale}, {pose}"

    def to_json(self) -> str:
        """The header as a JSON object, as checkpoints store it."""
        return json.dumps(dataclasses.asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "CheckpointHeader":
        """The header from JSON; ignores unknown fields and raises CheckpointError for any other mistake."""
        try:
            values = parse_json(text, "the header", object_pairs_hook=without_repetition)
        except StructuredTextError:
            raise CheckpointError("the header is not readable JSON: the file is damaged, copy it again") from None
        if not isinstance(values, dict):
            raise CheckpointError("the header is not a JSON object: the file is damaged, copy it again")
        # The version is checked first, because a newer format may name or type its fields differently.
        _check_format_version(values.get("format_version"))
        known = {item.name: item for item in dataclasses.fields(cls)}
        for name, item in known.items():
            is_required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
            if is_required and name not in values:
                raise CheckpointError(
                    f"header: {name} is missing; the file is damaged or was not written by monodepth_ros"
                )
        return cls(**{name: value for name, value in values.items() if name in known})


class RepeatedName(ValueError):
    """JSON in which a name occurs twice in an object, so that readers would disagree."""


def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON as a dictionary; RepeatedName if a name occurs twice (for json.loads, object_pairs_hook)."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise RepeatedName("a name occurs twice in its header")
    return values


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_HEADER_TEXT


def _is_number(value: object) -> bool:
    # The comparison is false for NaN and, unlike math.isfinite, accepts integers of any length.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e18


def _are_numbers(count: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, tuple) and len(value) == count and all(map(_is_number, value))


def _is_text_by_text(value: object) -> bool:
    if not isinstance(value, dict) or len(value) > _MOST_VERSIONS:
        return False
    return all(isinstance(text, str) and len(text) <= 200 for pair in value.items() for text in pair)


# For the annotation of each field: the type in words, and a check.
TYPES: dict[Any, tuple[str, Callable[[object], bool]]] = {
    str: (f"text of at most {LONGEST_HEADER_TEXT} characters", _is_text),
    int: ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    float: ("a finite number below 1e18", _is_number),
    tuple[float, float]: ("two finite numbers", _are_numbers(2)),
    tuple[float, float, float, float]: ("four finite numbers", _are_numbers(4)),
    dict[str, str]: ("names and versions as text", _is_text_by_text),
}


def _require(fits: bool, name: str, value: object, expected: str) -> None:
    if not fits:
        raise CheckpointError(f"header: {name} is {_shown(value)}, expected {expected}")


def _shown(value: object) -> str:
    try:
        return shown(repr(value))
    except ValueError:  # Python writes no whole number of thousands of digits
        return "a number of thousands of digits"


def _check_format_version(version: object) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise CheckpointError(f"header: format_version is {_shown(version)}, expected {FORMAT_VERSION}")
    if version > FORMAT_VERSION:
        raise CheckpointError(
            f"format version {version} is newer than this package reads (up to {FORMAT_VERSION}); update monodepth_ros"
        )
