# SPDX-License-Identifier: Apache-2.0
"""The `monodepth` command: `monodepth <verb> ...`, one file per verb in this folder."""

import argparse
import os
import sys
from importlib import import_module

from monodepth_ros.cli.interrupt import INTERRUPTED, end_on_interrupt
from monodepth_ros.cli.last_net import FAILED, complain, output_error, prepare_streams, silence_output, unexpected
from monodepth_ros.cli.progress import stage
from monodepth_ros.cli.verb_parser import VerbParser, did_you_mean
from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import safe_line, shown
from monodepth_ros.version import __version__

# Each verb is the module of its name in this folder, with add_arguments(parser) and run(options) -> exit code. In the
# order of the help: first the way of a recording, then checkpoints.
VERBS = {
    "run": "run depth and odometry over a recording, folder, video or camera",
    "inspect": "show what a training would use of recordings, and what is wrong with them",
    "calibrate": "estimate focal length, centre and distortion of a camera from a recording of it",
    "train": "learn depth and motion from recordings; no ground truth is needed",
    "adapt": "improve a checkpoint for your camera with a recording of it",
    "evaluate": "measure depth or odometry against ground truth",
    "extract": "write a recording as images with calibration, times and ground truth (KITTI's layout)",
    "synth": "make a recording of a synthetic drive with exact depth and odometry",
    "download": "download a checkpoint of the catalogue",
    "info": "print what a checkpoint is: networks, camera, scale, licence",
    "export": "write a checkpoint's networks as ONNX, OpenVINO or TorchScript",
    "doctor": "examine this machine: what works, what does not, what to do; paste it into a bug report",
    "config": "print every setting of the node or of a training, with its default, unit and meaning",
}
# What control-C leaves of a verb that does not stop in order.
KEPT = {"download": "the part so far is kept, and the next call resumes"}
NOTHING_KEPT = "nothing has been written"


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return its exit code; bad input gives exit code 2 and one line on standard error.

    So does all that is no mistake of this program, such as a full disk; see `last_net` for what is.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    verb = safe_line(chosen_verb(arguments))
    prepare_streams()
    try:
        with end_on_interrupt(lambda: KEPT.get(verb, NOTHING_KEPT)):
            _refuse_odd_words(arguments)
            options = command_parser(arguments).parse_args(arguments)
            options.arguments = arguments
            code = options.run(options) or 0
            error = output_error()
            if error is not None and not isinstance(error, BrokenPipeError):  # or its reader has seen enough
                raise error
            return code
    except MonodepthError as error:
        complain(f"monodepth {verb}: {error}")
        return FAILED
    except KeyboardInterrupt:
        # If it came while a library executed a text, Python has noted that it was not handled, and python -m would end
        # with the signal's number. The next text that is executed takes the note back.
        exec("")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output has seen enough
        silence_output()
        return 0
    except Exception as error:
        return unexpected(error, verb)


def _refuse_odd_words(arguments: list[str]) -> None:
    for word in arguments:
        try:
            is_odd = b"\0" in os.fsencode(word)
        except UnicodeEncodeError:
            is_odd = True
        if is_odd:
            raise MonodepthError(f"{shown(word)!r} holds a character that no command line has")


def chosen_verb(arguments: list[str]) -> str:
    """The verb that the arguments name, '' for none. The options before a verb take no values, so it is the first word
    without a dash."""
    return next((word for word in arguments if not word.startswith("-")), "")


def command_parser(arguments: list[str]) -> argparse.ArgumentParser:
    """The parser of the command. Only the verb that `arguments` name is imported: most verbs need PyTorch, which takes
    seconds."""
    parser = VerbParser(
        prog="monodepth", description="Depth and odometry from one camera, learned from its own recordings."
    )
    parser.add_argument("--version", action="version", version=f"monodepth_ros {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    chosen = chosen_verb(arguments)
    if chosen and chosen not in VERBS:
        parser.error(f"unknown verb {chosen!r}{did_you_mean(chosen, list(VERBS))} (verbs: {', '.join(VERBS)})")
    for name, summary in VERBS.items():
        verb = verbs.add_parser(name, help=summary)
        if name == chosen:
            with stage(f"monodepth {name}: loading"):
                module = import_module(f"monodepth_ros.cli.{name}")
            module.add_arguments(verb)
            verb.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
