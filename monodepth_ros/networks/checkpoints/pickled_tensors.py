# SPDX-License-Identifier: Apache-2.0
"""Read `torch.save` files of unknown origin without running code from them."""

import io
import pickle
import re
import tarfile
import warnings
import zipfile
from pathlib import Path

import torch

from monodepth_ros.networks.checkpoints.header import CheckpointError

# The weights of ResNet-152 have 240 MB.
LARGEST_FILE = 2**30


def read_bytes(path: Path) -> bytes:
    """Content of the file; CheckpointError if it cannot be read, is empty or far too large for weights."""
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise CheckpointError(
                f"{path}: {size / 2**30:.1f} GiB is too large for weights (up to 1 GiB); check the path"
            )
        data = path.read_bytes()
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
    _check_archive(data, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # The unpickler's message names the offending class, if there is one, and adds advice that does not apply here.
        match = re.search(r"Unsupported (?:global|class)[^\n]*?([\w.]+\.[\w]+)", str(error), re.IGNORECASE)
        if match is None:
            raise CheckpointError(f"{path}: not a PyTorch weight file, or damaged; copy or download it again") from None
        raise CheckpointError(
            f"{path}: holds code or objects ({match[1]:.80}), nothing of it was run; expected tensors only,"
            " do not trust this file"
        ) from None
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


def _check_archive(data: bytes, path: Path) -> None:
    """Raise CheckpointError for archives that torch.save does not write.

    These are tar archives, from which older versions of PyTorch can be made to run code, and zip archives that unpack
    to far more than their own size.
    """
    if tarfile.is_tarfile(io.BytesIO(data)):
        raise CheckpointError(f"{path}: a tar archive, not a PyTorch weight file; unpack it first")
    if not data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(item.file_size for item in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise CheckpointError(f"{path}: the archive is damaged or truncated; copy or download it again") from None
    if size > 2 * len(data) + 2**20:
        raise CheckpointError(f"{path}: unpacks to {size} bytes from {len(data)}; not a file that PyTorch wrote")
