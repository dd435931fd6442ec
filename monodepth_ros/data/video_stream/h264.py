# SPDX-License-Identifier: Apache-2.0
"""What an H.264 packet holds, without decoding it (ITU-T H.264, clauses 7.3 and 7.4)."""

from typing import NamedTuple

from monodepth_ros.data.video_stream.bits import BitReader, nal_units, payload

SLICE, IDR, SEI, SPS, PPS = 1, 5, 6, 7, 8
RECOVERY_POINT = 6
MOST_SPS, MOST_PPS = 32, 256  # parameter sets of a stream (clauses 7.4.2.1 and 7.4.2.2)
LONGEST_SETS = 1 << 16  # bytes of them that are kept
# Profiles whose parameter sets state the chroma format.
_WITH_CHROMA = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}


class Picture(NamedTuple):
    """The first slice of a packet. is_reference: whether later pictures may need it."""

    is_idr: bool
    is_intra: bool
    is_reference: bool
    frame_num: int
    max_frame_num: int


class H264Parser:
    """Parser of one stream's packets, which remembers the parameter sets (with start codes)."""

    def __init__(self) -> None:
        # By number of the parameter set: (bits of frame_num, separate colour planes, gaps of frame_num allowed).
        self._sequences: dict[int, tuple[int, bool, bool]] = {}
        self._sequence_of: dict[int, int] = {}  # by number of the picture parameter set
        self._previous: int | None = None  # frame_num of the last reference picture
        self.parameter_sets = b""

    def parse(self, data: bytes) -> tuple[Picture | None, bool]:
        """(the picture of a packet, None if it holds none; whether decoding can begin with it).

        Raises ValueError for bytes that are not H.264.
        """
        has_recovery_point = has_sequence = False
        sets = []
        for unit in nal_units(data):
            kind = unit[0] & 31
            if kind in (SPS, PPS):
                sets.append(b"\x00\x00\x00\x01" + unit)
                has_sequence |= kind == SPS
                self._take_set(kind, unit)
            elif kind == SEI:
                has_recovery_point |= _has_recovery_point(unit)
            elif kind in (SLICE, IDR):
                self._keep(sets, has_sequence)
                picture = self._picture(kind, unit)
                return picture, picture.is_idr or has_recovery_point or (has_sequence and picture.is_intra)
        self._keep(sets, has_sequence)
        return None, False

    def has_gap(self, picture: Picture, is_entry: bool) -> bool:
        """Whether a picture that others need is missing before this one (clause 7.4.3, frame_num).

        is_entry: decoding begins here, whatever came before.
        """
        previous = None if is_entry or picture.is_idr else self._previous
        if picture.is_reference or is_entry:
            self._previous = picture.frame_num
        if previous is None or any(gaps for _, _, gaps in self._sequences.values()):
            return False
        return picture.frame_num not in (previous, (previous + 1) % picture.max_frame_num)

    def _keep(self, sets: list[bytes], has_sequence: bool) -> None:
        if sets:
            before = b"" if has_sequence or len(self.parameter_sets) > LONGEST_SETS else self.parameter_sets
            self.parameter_sets = before + b"".join(sets)

    def _take_set(self, kind: int, unit: bytes) -> None:
        bits = BitReader(payload(unit, 1, 512))
        if kind == PPS:
            number = bits.golomb()
            if number < MOST_PPS:
                self._sequence_of[number] = bits.golomb()
            return
        profile = bits.u(8)
        bits.u(16)
        number = bits.golomb()
        is_separate = False
        if profile in _WITH_CHROMA:
            chroma = bits.golomb()
            is_separate = chroma == 3 and bool(bits.u(1))
            bits.golomb(), bits.golomb(), bits.u(1)
            if bits.u(1):
                for i in range(8 if chroma != 3 else 12):
                    if bits.u(1):
                        _skip_scaling_list(bits, 16 if i < 6 else 64)
        frame_num_bits = bits.golomb() + 4
        order = bits.golomb()
        if order == 0:
            bits.golomb()
        elif order == 1:
            bits.u(1), bits.signed_golomb(), bits.signed_golomb()
            for _ in range(bits.golomb()):
                bits.signed_golomb()
        bits.golomb()
        if number < MOST_SPS:
            self._sequences[number] = (frame_num_bits, is_separate, bool(bits.u(1)))

    def _picture(self, kind: int, unit: bytes) -> Picture:
        bits = BitReader(payload(unit, 1, 64))
        bits.golomb()
        slice_type, number = bits.golomb() % 5, bits.golomb()
        sequence = self._sequence_of.get(number, 0)
        count, is_separate, _ = self._sequences.get(sequence, (0, False, False))
        if is_separate:
            bits.u(2)
        # Without the parameter sets the number is unknown, and the packet cannot be decoded either.
        return Picture(kind == IDR, slice_type in (2, 4), bool(unit[0] & 0x60), bits.u(count), 1 << count)


def _has_recovery_point(unit: bytes) -> bool:
    """Whether the messages of an SEI unit contain a recovery point."""
    data, at = payload(unit, 1, len(unit)), 0
    while at + 2 < len(data):
        numbers = []
        for _ in range(2):
            total = 0
            while at < len(data) and data[at] == 255:
                total, at = total + 255, at + 1
            if at == len(data):
                return False
            numbers.append(total + data[at])
            at += 1
        if numbers[0] == RECOVERY_POINT:
            return True
        at += numbers[1]
    return False


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_golomb()) % 256
        last = following or last
