# SPDX-License-Identifier: Apache-2.0
"""The commands that a verb suggests at its end, ready to paste: inspect, train, run, then the node."""

import math
import shlex
from collections.abc import Sequence

from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.data.sources.source import FrameSource, SourceOptions
from monodepth_ros.foreign_text import safe_line
from monodepth_ros.limits import LONGEST_MESSAGE

COMPRESSED = "/compressed"
RELATIVE = ("--set", "scale.source=relative")


def source_words(options: SourceOptions) -> list[str]:
    """Options about what to read as the words of another command: those that differ from their defaults."""
    named = {
        "--topic": options.topic,
        "--camera-info": options.camera_info,
        "--camera": options.camera,
        "--depth-topic": options.depth_topic,
        "--odometry-topic": options.odometry_topic,
        "--calibration": options.calibration_file,
        "--field-of-view": options.field_of_view,
        "--encoding": options.encoding,
        "--intensity-range": options.intensity_range,
        "--rate": options.rate,
        "--start": options.start,
        "--duration": options.duration if math.isfinite(options.duration) else 0,
    }
    words = [word for name, value in named.items() if value for word in (name, _word(value))]
    words += ["--rectified"] if options.rectified else []
    return words + (["--unrectified"] if options.unrectified else [])


def command(verb: str, recordings: Sequence[str], *words: str) -> str:
    """A command of this program, quoted for a shell."""
    return shlex.join(["monodepth", verb, *recordings, *words])


def run_command(recording: str, chosen: SourceOptions, checkpoint: str = "", is_metric: bool = True) -> str:
    """The command that runs a checkpoint ('' for the bundled one) over a recording.

    is_metric: whether the checkpoint gives metres; a run has to be told if it does not.
    """
    words = ["--checkpoint", checkpoint] if checkpoint else []
    return command("run", [recording], *words, *source_words(chosen), *(() if is_metric else RELATIVE))


def node_command(
    source: FrameSource, chosen: SourceOptions, checkpoint: str = "", is_metric: bool = True, parameters: str = ""
) -> str:
    """The command that starts the node on the topics of a recording.

    checkpoint, is_metric: as in `run_command`. parameters: a parameter file that holds both and the calibration, '' for
    none.
    """
    words = ["ros2", "launch", "monodepth_ros", "depth.launch.py"]
    words += [f"params_file:={parameters}"] if parameters else []
    words += [f"checkpoint:={checkpoint}"] if checkpoint and not parameters else []
    if isinstance(source, BagSource):
        image = source.stream.image
        words.append(f"image:={image.removesuffix(COMPRESSED)}")
        words += ["image_transport:=compressed"] if image.endswith(COMPRESSED) else []
        beside = f"{image.removesuffix(COMPRESSED).rpartition('/')[0]}/camera_info"
        if source.stream.camera_info not in ("", beside):
            words.append(f"camera_info:={source.stream.camera_info}")
    if not parameters:
        words += [f"calibration_file:={chosen.calibration_file}"] if chosen.calibration_file else []
        words += ["rectified:=true"] if chosen.rectified else []
        words += [] if is_metric else ["scale_source:=relative"]
    return shlex.join(words)


def next_lines(*commands: str) -> list[tuple[str, str]]:
    """(name, value) lines that print the commands as what to do next."""
    lines = (text if len(text) <= LONGEST_MESSAGE else safe_line(text) for text in commands)
    return [("next" if not number else "or", text) for number, text in enumerate(lines)]


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
