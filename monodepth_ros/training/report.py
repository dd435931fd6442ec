# SPDX-License-Identifier: Apache-2.0
"""report.html of a training: curves, figures and pictures in one file that opens from disk."""

import base64
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import Tensor

from monodepth_ros.output_file import write_file
from monodepth_ros.pictures.color_picture import color_limits, color_picture
from monodepth_ros.pictures.depth_scale import with_depth_scale
from monodepth_ros.pictures.html_page import html_page
from monodepth_ros.pictures.svg_chart import Curve, svg_chart
from monodepth_ros.training.run_log import read_log

NAME = "report.html"
STYLE = (
    "body{font:14px/1.45 system-ui,sans-serif;color:#222;max-width:1200px;margin:2em auto;padding:0 1em}"
    "td{padding:.15em 1.2em .15em 0;vertical-align:top}td:first-child{color:#666}"
    ".row{display:flex;flex-wrap:wrap;gap:10px}figure{margin:0;flex:1 1 360px}img{width:100%;display:block}"
    "figcaption{color:#666;font-size:12px}"
)
# Curves of the validation: title and unit by the name in the log.
VALIDATED = {
    "abs_rel": ("Absolute relative error of depth, validation", "abs_rel"),
    "a1": ("Share of depth within 25 %, validation", "a1"),
    "rotation_error": ("Rotation error of a step, validation", "degrees"),
    "ate_5": ("ATE over 5 frames, validation", "m"),
}


def write_report(
    folder: Path,
    facts: Sequence[tuple[str, str]],
    pictures: dict[str, Tensor],
    trajectories: Sequence[tuple[np.ndarray, np.ndarray]] = (),
    title: str = "Training",
    sheet: np.ndarray | None = None,
) -> None:
    """Write a folder's report.html from its log.

    facts: (name, value) rows of the table at the top. pictures: (C, H, W) of one validation sample, by name.
    trajectories: see `Validation.trajectories`. sheet: BGR picture for the top. Raises MonodepthError if the page
    cannot be written.
    """
    log = read_log(folder)
    training = [line for line in log if line["kind"] == "train"]
    validations = [line for line in log if line["kind"] == "validation"]

    def curve(name: str, lines: list[dict[str, Any]], key: str) -> Curve:
        values = [math.nan if line.get(key) is None else line[key] for line in lines]
        return Curve(name, [line["step"] for line in lines], values)

    charts = [
        svg_chart("Loss", "step", "", [curve("training", training, "mean"), curve("validation", validations, "loss")]),
        *(svg_chart(title, "step", unit, [curve(key, validations, key)]) for key, (title, unit) in VALIDATED.items()),
        *(_paths(reference, estimate) for reference, estimate in trajectories),
        svg_chart("Learning rate", "step", "", [curve("rate", training, "learning_rate")]),
        svg_chart("Speed", "step", "samples/s", [curve("speed", training, "samples_per_second")]),
    ]
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in facts)
    figures = "".join(_figure(name, picture_of(name, picture)) for name, picture in pictures.items())
    top = "" if sheet is None else _figure("before and after", sheet)
    page = (
        f"<table>{rows}</table>{top}<h2>A validation sample</h2>"
        "<p>Depth: bright is near. Mask: white where a warped source matches the target best. Warped: a source"
        f" as the target's camera would have seen it.</p>"
        f'<div class="row">{figures}</div>'
        f'<h2>Curves</h2><div class="row">{"".join(charts)}</div>'
    )
    write_file(folder / NAME, html_page(title, STYLE, page))


def _paths(reference: np.ndarray, estimate: np.ndarray) -> str:
    """Both paths from above: x to the right, z ahead of the first camera."""
    curves = [Curve(name, T[:, 0, 3], T[:, 2, 3]) for name, T in (("estimate", estimate), ("reference", reference))]
    title = "Held-out path from above, scaled to the reference's length"
    return svg_chart(title, "x [m]", "z [m]", curves, height=320, equal=True)


def picture_of(name: str, values: Tensor) -> np.ndarray:
    """Picture (H, W, 3) BGR uint8 for the report, from values (C, H, W)."""
    array = values.numpy()
    if name == "depth":
        limits = color_limits(array[0])
        return with_depth_scale(color_picture(array[0], limits), limits, "network units")
    if array.shape[0] == 1:
        return cv2.cvtColor((255 * array[0]).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    return cv2.cvtColor((255 * array.clip(0, 1)).round().astype(np.uint8).transpose(1, 2, 0), cv2.COLOR_RGB2BGR)


def _figure(name: str, picture: np.ndarray) -> str:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
    source = "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
    caption = f"<figcaption>{escape(name.replace('_', ' '))}</figcaption>"
    return f'<figure><img alt="{escape(name)}" src="{source}">{caption}</figure>'
