# SPDX-License-Identifier: Apache-2.0
"""Arrays in a .npz file that this program keeps in a cache, and that anything may have changed since."""

import io
import zipfile
from pathlib import Path

import numpy as np

from monodepth_ros.input_file import ordinary_file


def kept_arrays(path: Path, largest: int) -> dict[str, np.ndarray]:
    """The arrays of a file that `numpy.savez` wrote, by name; none of them is an object.

    largest: of all arrays together [bytes]. Raises ValueError for a file that states more, for arrays whose size is not
    that of their bytes, and the errors of zipfile, zlib and numpy for a damaged one.
    """
    found = {}
    with zipfile.ZipFile(ordinary_file(path, largest)) as file:
        entries = file.infolist()
        if sum(entry.file_size for entry in entries) > largest:
            raise ValueError("more bytes than there may be")
        for entry in entries:
            # What an entry states of its size is what zipfile gives at most; numpy would allocate what its header says.
            with file.open(entry) as packed:
                content = packed.read(entry.file_size)
            found[entry.filename.removesuffix(".npy")] = _array(content)
    return found


def _array(content: bytes) -> np.ndarray:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read_header(stream)
    data = content[stream.tell() :]
    count = 1
    for side in shape:
        count *= side
    if dtype.hasobject or count * dtype.itemsize != len(data):
        raise ValueError("an array of another size than its bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C").copy()
