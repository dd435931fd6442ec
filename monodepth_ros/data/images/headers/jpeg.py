# SPDX-License-Identifier: Apache-2.0
"""The header of a JPEG (ITU-T T.81, annex B)."""

from monodepth_ros.data.images.headers.header import PictureHeader, UnreadFeature, number

HEAD = b"\xff\xd8\xff"
# Frame headers SOF0 to SOF15, without DHT, JPG and DAC.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE, _LOSSLESS = 0xC2, 0xC3
_READ = (0xC0, 0xC1, _PROGRESSIVE, _LOSSLESS)
_FILL, _SCAN, _END = 0xFF, 0xDA, 0xD9
MOST_SEGMENTS = 2000  # before the frame header; files with large profiles have 300
# Scans of a progressive picture. Encoders write 6 to 20, and each one takes a pass over the whole picture.
MOST_SCANS = 100


def jpeg_header(data: memoryview) -> PictureHeader | None:
    """The header of a JPEG; None if it is damaged. Raises UnreadFeature for hierarchical and arithmetic coding."""
    at = _frame(data)
    if not at:
        return None
    kind, height, width, count = data[at + 1], number(data, at + 5, 2), number(data, at + 7, 2), data[at + 9]
    if kind not in _READ:
        raise UnreadFeature(f"JPEG of the rare coding SOF{kind - 0xC0}")
    factors = [number(data, at + 11 + 3 * component, 1) for component in range(count)]
    across, down = [one >> 4 for one in factors], [one & 15 for one in factors]
    if not 1 <= count <= 4 or not all(1 <= factor <= 4 for factor in across + down):
        return None
    if kind == _PROGRESSIVE and bytes(data).count(b"\xff\xda") > MOST_SCANS:
        raise UnreadFeature(f"JPEG of more than {MOST_SCANS} scans")
    block = 1 if kind == _LOSSLESS else 8  # side of what is coded together
    blocks = sum(
        -(-width * h // (max(across) * block)) * -(-height * v // (max(down) * block)) for h, v in zip(across, down)
    )
    # Huffman codes have one bit or more: one for the difference of a block's mean, one for the end of the block, which
    # progressive pictures leave to scans that may skip blocks.
    bits = 2 if block == 8 and kind != _PROGRESSIVE else 1
    # All coefficients of a progressive picture are kept, 16 bits each.
    kept = 2 * 64 * blocks if kind == _PROGRESSIVE else 0
    return PictureHeader("JPEG", width, height, 3 if count > 1 else 1, kept, bits * blocks // 8)


def _frame(data: memoryview) -> int:
    """Position of the frame header's marker, 0 without one."""
    at = 2
    for _ in range(MOST_SEGMENTS):
        while at + 1 < len(data) and data[at] == data[at + 1] == _FILL:
            at += 1
        if at + 10 > len(data) or data[at] != 0xFF or data[at + 1] in (_SCAN, _END):
            return 0
        if data[at + 1] in _FRAMES:
            return at
        at += 2 + max(2, number(data, at + 2, 2))
    return 0
