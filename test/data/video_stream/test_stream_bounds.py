# SPDX-License-Identifier: Apache-2.0
"""Streams that claim more than streams have: sizes, units and parameter sets; and packets damaged anywhere."""

import pickle
from contextlib import suppress

import numpy as np
import pytest
from coded_streams import ENCODERS, Coded, encode, message

from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.data.video_stream import decoder as decoder_module
from monodepth_ros.data.video_stream.bits import MOST_UNITS, nal_units
from monodepth_ros.data.video_stream.decoder import StreamDecoder
from monodepth_ros.data.video_stream.h264 import LONGEST_SETS, MOST_PPS, MOST_SPS, H264Parser
from monodepth_ros.data.video_stream.packets import PacketParser


def outcomes_of(packets, form):
    parser, decoder = PacketParser(), StreamDecoder()
    found = []
    for coded in packets:
        found += decoder.feed(parser.parse(message("compressed", form, coded)), coded.number)
    return found + decoder.flush()


@pytest.mark.parametrize("name", ENCODERS)
def test_pictures_larger_than_videos_have_are_not_decoded(name, monkeypatch):
    packets, form = encode(name, count=6), name.split()[0]
    assert all(outcome.frame is not None for outcome in outcomes_of(packets, form))
    monkeypatch.setattr(decoder_module, "MOST_VIDEO_PIXELS", 64)
    outcomes = outcomes_of(packets, form)
    assert len(outcomes) == 6 and all(outcome.frame is None and outcome.reason for outcome in outcomes)


@pytest.mark.parametrize("name", ENCODERS)
def test_packets_damaged_anywhere_give_a_picture_or_a_reason(name):
    packets, form = encode(name, count=10), name.split()[0]
    draw = np.random.default_rng(2)
    for _ in range(15):
        changed = []
        for coded in packets:
            data = np.frombuffer(coded.data, np.uint8).copy()
            places = draw.integers(0, min(len(data), draw.choice((20, 5000))), draw.integers(0, 4))
            data[places] = draw.integers(0, 256, len(places))
            changed.append(Coded(coded.number, coded.is_key, data[: draw.integers(1, 2 * len(data))].tobytes()))
        try:
            outcomes = outcomes_of(changed, form)
        except ImageError as error:
            assert "\n" not in str(error)
        else:
            assert all((outcome.frame is None) == bool(outcome.reason) for outcome in outcomes)


def test_a_packet_of_more_units_than_pictures_have_is_not_taken_apart():
    data = b"\0\0\1\x68" * (MOST_UNITS + 1)
    with pytest.raises(ValueError, match="10001 units"):
        list(nal_units(data))
    packet = PacketParser().parse(message("compressed", "h264", Coded(0, True, data)))
    assert packet.is_corrupt


def test_parameter_sets_that_repeat_for_ever_take_no_memory():
    """A camera that sends picture parameter sets alone, each with another number."""
    parser = H264Parser()
    for number in range(3000):
        unit = np.random.default_rng(number).integers(4, 255, 60).astype(np.uint8).tobytes()
        with suppress(ValueError):
            parser.parse(b"\0\0\0\1" + (b"\x68" if number % 2 else b"\x67") + unit)
    assert len(parser.parameter_sets) < LONGEST_SETS + 1000
    assert len(parser._sequences) <= MOST_SPS and len(parser._sequence_of) <= MOST_PPS
    assert len(pickle.dumps(vars(parser))) < 2 * LONGEST_SETS
