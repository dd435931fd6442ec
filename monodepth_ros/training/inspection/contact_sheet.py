# SPDX-License-Identifier: Apache-2.0
"""Contact sheet of a recording: frames evenly over its length, and the use of every frame."""

import cv2
import numpy as np

from monodepth_ros.data.images.image_codec import to_rgb
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import FrameSource
from monodepth_ros.foreign_text import drawable, shown
from monodepth_ros.pictures.picture_sheet import BACKGROUND, TEXT_COLOR, with_caption
from monodepth_ros.training.inspection.inspection import (
    AT_AN_END,
    BETWEEN_BLOCKS,
    NO_PARTNER,
    STATIC,
    TRAINING,
    VALIDATION,
    RecordingInspection,
)

COLUMNS, ROWS = 5, 4
PANEL_WIDTH, GAP, MARK = 320, 6, 5
# Colours (BGR) by the use of a frame.
COLORS = {
    TRAINING: (96, 190, 60),
    VALIDATION: (230, 150, 50),
    STATIC: (130, 130, 130),
    AT_AN_END: (70, 70, 220),
    BETWEEN_BLOCKS: (60, 200, 230),
    NO_PARTNER: (200, 80, 200),
}
TIMELINE_HEIGHT, CURVE_HEIGHT, CURVE_TOP = 150, 90, 24
OUTLINE = (60, 230, 255)  # of what the networks see
GAP_SHOWN = 1.5  # usual intervals; the rest of a longer one is left empty
HATCH = 9  # distance of the lines over a region that never changes [pixels]


def contact_sheet(recording: RecordingInspection) -> np.ndarray:
    """BGR picture: title, frames with time, flow and use, and the flow over time in the colours of the uses.

    A part of the border that never changes is hatched. Raises SourceError if the recording has changed since.
    """
    count = min(len(recording.index), COLUMNS * ROWS)
    chosen = np.linspace(0, len(recording.index) - 1, count).round().astype(int)
    with open_source(recording.path, recording.options) as source:
        panels = [_panel(recording, source, int(frame)) for frame in chosen]
    height = max(panel.shape[0] for panel in panels)
    empty = np.full((height, PANEL_WIDTH, 3), BACKGROUND, np.uint8)
    panels = [np.pad(p, ((0, height - p.shape[0]), (0, 0), (0, 0)), constant_values=BACKGROUND) for p in panels]
    panels += [empty] * (-len(panels) % COLUMNS)
    spaced = [np.pad(p, ((0, GAP), (0, GAP), (0, 0)), constant_values=BACKGROUND) for p in panels]
    rows = [np.hstack(spaced[i : i + COLUMNS]) for i in range(0, len(spaced), COLUMNS)]
    width = rows[0].shape[1]
    return np.vstack([_title(recording, width), *rows, timeline(recording, width, chosen)])


def timeline(recording: RecordingInspection, width: int, marked: np.ndarray) -> np.ndarray:
    """BGR strip (TIMELINE_HEIGHT, width) with a bar per frame, as high as its flow, and a legend.

    Validation blocks are shaded, gaps are empty, and the frames `marked` have a tick below.
    """
    strip = np.full((TIMELINE_HEIGHT, width, 3), BACKGROUND, np.uint8)
    index = recording.index
    seconds = (index.stamps_ns - index.stamps_ns[0]) * 1e-9
    interval = index.interval if index.interval > 0 else 1.0
    scale = (width - 2 * GAP) / (float(seconds[-1]) + interval)
    flow = np.nan_to_num(index.flow)
    top = max(float(np.quantile(flow, 0.98)) * 1.15, 1e-4)
    base = CURVE_TOP + CURVE_HEIGHT
    ends = np.append(np.minimum(seconds[1:], seconds[:-1] + GAP_SHOWN * interval), seconds[-1] + interval)
    for frame, use in enumerate(recording.uses):
        left = GAP + int(seconds[frame] * scale)
        right = max(left, GAP + int(ends[frame] * scale) - (1 if interval * scale > 3 else 0))
        if use == VALIDATION:
            cv2.rectangle(strip, (left, CURVE_TOP), (right, base), (70, 52, 30), -1)
        bar = round(CURVE_HEIGHT * min(1.0, flow[frame] / top))
        cv2.rectangle(strip, (left, base - max(bar, 2)), (right, base), COLORS[use], -1)
    for frame in marked:
        x = GAP + int((seconds[frame] + 0.5 * interval) * scale)
        cv2.line(strip, (x, base + 2), (x, base + 6), TEXT_COLOR, 1)
    _text(strip, f"image motion per frame, up to {100 * top:.1f} % of the width", (GAP, 16))
    _text(strip, "0 s", (GAP, base + 22))
    end = f"{seconds[-1]:.1f} s"
    _text(strip, end, (width - GAP - 9 * len(end), base + 22))
    x = GAP + 60
    for use in dict.fromkeys(recording.uses.tolist()):
        label = f"{use}: {int(np.count_nonzero(recording.uses == use))}"
        cv2.rectangle(strip, (x, base + 12), (x + 10, base + 22), COLORS[use], -1)
        _text(strip, label, (x + 16, base + 22))
        x += 40 + cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, 0.42, 1)[0][0]
    if sum(recording.index.left_out.values()):
        _text(strip, f"unreadable: {sum(recording.index.left_out.values())}", (x, base + 22))
    return strip


def _panel(recording: RecordingInspection, source: FrameSource, frame: int) -> np.ndarray:
    index = recording.index
    pixels = source.read(int(index.stamps_ns[frame]), int(index.received_ns[frame]))
    height = max(1, round(PANEL_WIDTH * pixels.size[1] / pixels.size[0]))
    filter = cv2.INTER_AREA if pixels.size[0] > PANEL_WIDTH else cv2.INTER_LINEAR
    small = cv2.resize(pixels.array, (PANEL_WIDTH, height), interpolation=filter)
    picture = cv2.cvtColor(to_rgb(small, pixels.layout), cv2.COLOR_RGB2BGR)
    if recording.scan.region is not None:
        region = cv2.resize(
            recording.scan.region.region.astype(np.uint8), (PANEL_WIDTH, height), interpolation=cv2.INTER_NEAREST
        )
        rows, columns = np.indices(region.shape)
        picture[(region > 0) & ((rows + columns) % HATCH == 0)] = (60, 60, 255)
    if recording.outline is not None:
        scale = np.array([PANEL_WIDTH / pixels.size[0], height / pixels.size[1]])
        corners = np.rint(np.clip(recording.outline * scale, 0, (PANEL_WIDTH - 1, height - 1))).astype(np.int32)
        cv2.polylines(picture, [corners], isClosed=True, color=OUTLINE, thickness=1, lineType=cv2.LINE_AA)
    use = str(recording.uses[frame])
    flow = "" if np.isnan(index.flow[frame]) else f"  {100 * index.flow[frame]:.1f} %"
    seconds = (index.stamps_ns[frame] - index.stamps_ns[0]) * 1e-9
    picture = with_caption(picture, f"{seconds:.1f} s{flow}  {use}")
    return np.vstack([picture, np.full((MARK, PANEL_WIDTH, 3), COLORS[use], np.uint8)])


def _title(recording: RecordingInspection, width: int) -> np.ndarray:
    figures = recording.figures
    text = (
        f"{shown(recording.name)}: {figures['frames']} frames, {figures['duration']:.1f} s at {figures['rate']:.1f} Hz,"
        f" step {figures['step']}, {figures['training_samples']} samples for training, {figures['validation_samples']}"
        " for validation"
    )
    seen = figures["networks_input"]
    if seen:
        share = f"{100 * seen['image_coverage']:.0f} % of the image"
        text += f"; outlined: the networks' input of {seen['width']}x{seen['height']}, {share}"
    lines = [text, *(f"warning: {finding.found}" for finding in recording.warnings)]
    head = np.full((12 + 20 * len(lines), width, 3), BACKGROUND, np.uint8)
    for number, line in enumerate(lines):
        _text(head, line, (GAP + 2, 20 + 20 * number), TEXT_COLOR if number == 0 else (80, 190, 250))
    return head


def _text(picture: np.ndarray, text: str, place: tuple[int, int], color: tuple[int, int, int] = TEXT_COLOR) -> None:
    cv2.putText(
        picture,
        drawable(text),
        place,
        cv2.FONT_HERSHEY_SIMPLEX,
        fontScale=0.42,
        color=color,
        thickness=1,
        lineType=cv2.LINE_AA,
    )
