# SPDX-License-Identifier: Apache-2.0
"""Read `torch.save` files of unknown origin without running code from them."""

import io
import warnings
from pathlib import Path

import torch

from monodepth_ros.errors import MonodepthError
from monodepth_ros.input_file import ordinary_file
from monodepth_ros.networks.checkpoints.header import CheckpointError
from monodepth_ros.networks.checkpoints.tensor_archive import TensorArchiveError, check_tensor_archive

# The weights of ResNet-152 have 240 MB.
LARGEST_FILE = 2**30


def read_bytes(path: Path) -> bytes:
    """Content of the file; CheckpointError if it cannot be read, is empty or far too large for weights."""
    try:
        size = ordinary_file(path).stat().st_size
        if size > LARGEST_FILE:
            raise CheckpointError(
                f"{path}: {size / 2**30:.1f} GiB is too large for weights (up to 1 GiB); check the path"
            )
        data = path.read_bytes()
    except CheckpointError:
        raise
    except MonodepthError as error:
        raise CheckpointError(str(error)) from None
    except OSError as error:
        raise CheckpointError(
            f"{path}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from None
    if not data:
        raise CheckpointError(f"{path}: the file is empty; copy or download it again")
    return data


def load_pickled_tensors(data: bytes, path: Path) -> dict[str, object]:
    """The dictionary in a `torch.save` file of plain tensors, numbers and containers.

    Raises CheckpointError for anything else. No code in the file is run.
    """
    try:
        check_tensor_archive(io.BytesIO(data))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except TensorArchiveError as error:
        advice = "" if ";" in str(error) else "; copy or download it again"
        raise CheckpointError(f"{path}: {error}{advice}") from None
    except Exception:
        # Damaged input makes torch.load raise errors of many kinds (RuntimeError, EOFError, KeyError, ...).
        raise CheckpointError(f"{path}: not a PyTorch weight file, or damaged; copy or download it again") from None
    return named_tensors(content, path)


def named_tensors(content: object, path: Path) -> dict[str, object]:
    """A copy of a dictionary with text as keys; CheckpointError for anything else."""
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        found = type(content).__name__
        raise CheckpointError(f"{path}: holds a {found}, expected named tensors (a state dict)")
    return dict(content)
