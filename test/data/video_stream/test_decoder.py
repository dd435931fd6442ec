# SPDX-License-Identifier: Apache-2.0
"""Streams of every codec: every picture comes out once and right, or its packet has a reason."""

from collections import Counter

import numpy as np
import pytest
from coded_streams import ENCODERS, IN_ORDER, START_NS, TENTH, Coded, encode, message, number_in, picture

from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.data.video_stream.colors import to_pixels
from monodepth_ros.data.video_stream.decoder import AFTER_LOSS, BEFORE_KEY, DAMAGED, WITHOUT_SETS, StreamDecoder
from monodepth_ros.data.video_stream.packets import PacketParser

FORMS = {name: name.split()[0] for name in ENCODERS}


def decode(packets, form, transport="compressed", stamps=None):
    """(numbers of the tags of whole pictures, in order; numbers that these pictures show; reasons of the others)."""
    parser, decoder = PacketParser(), StreamDecoder()
    outcomes = []
    for order, coded in enumerate(packets):
        packet = parser.parse(message(transport, form, coded))
        outcomes += decoder.feed(packet, coded.number if stamps is None else stamps[order])
    outcomes += decoder.flush()
    whole = [outcome for outcome in outcomes if outcome.frame is not None]
    shown = [number_in(to_pixels(outcome.frame).array) for outcome in whole]
    return [outcome.tag for outcome in whole], shown, Counter(o.reason for o in outcomes if o.frame is None)


def reason(form, text):
    titles = {"h264": "H.264", "hevc": "H.265", "av1": "AV1", "vp9": "VP9", "vp8": "VP8"}
    return f"{titles[form]} {text}"


@pytest.mark.parametrize("name", ENCODERS)
def test_every_picture_of_a_whole_stream_comes_out_with_its_own_tag(name):
    tags, shown, reasons = decode(encode(name), FORMS[name])
    assert tags == shown == list(range(20))
    assert not reasons


@pytest.mark.parametrize("name", IN_ORDER)
def test_after_a_lost_packet_nothing_comes_out_up_to_the_next_key_frame(name):
    packets = encode(name)
    del packets[6]
    tags, shown, reasons = decode(packets, FORMS[name])
    assert tags == shown == [*range(6), *range(10, 20)]
    assert reasons.total() == 3


@pytest.mark.parametrize("name", IN_ORDER)
def test_after_a_lost_key_frame_nothing_comes_out_up_to_the_next_one(name):
    packets = encode(name)
    del packets[5]
    tags, shown, reasons = decode(packets, FORMS[name])
    assert tags == shown == [*range(5), *range(10, 20)]
    assert reasons.total() == 4


@pytest.mark.parametrize("name", IN_ORDER)
def test_a_stream_that_begins_within_a_group_begins_with_its_next_key_frame(name):
    tags, shown, reasons = decode(encode(name)[7:], FORMS[name])
    assert tags == shown == list(range(10, 20))
    assert reasons == {reason(FORMS[name], BEFORE_KEY): 3}


@pytest.mark.parametrize("name", ["h264 out of order", "hevc out of order"])
@pytest.mark.parametrize("lost", range(1, 15, 2))
def test_pictures_out_of_order_are_whole_and_keep_their_tags_around_a_loss(name, lost):
    packets = encode(name)
    del packets[lost]
    tags, shown, _ = decode(packets, FORMS[name])
    assert tags == shown == sorted(shown)
    assert len(shown) > 9


def test_stamps_of_the_order_of_coding_go_to_the_pictures_in_the_order_in_which_they_are_shown():
    packets = encode("h264 out of order")
    assert [coded.number for coded in packets] != list(range(20))
    tags, shown, _ = decode(packets, "h264", stamps=range(20))
    assert tags == shown == list(range(20))


def test_a_stream_without_key_frames_recovers_bit_by_bit():
    refreshed = ("libx264", {"preset": "fast", "tune": "zerolatency", "x264-params": "intra-refresh=1"}, 0)
    packets = encode(refreshed, 40, 10)
    del packets[13]
    tags, shown, reasons = decode(packets, "h264")
    assert tags == shown
    assert tags[:13] == list(range(13)) and 13 < min(tags[13:]) <= 30 and tags[-1] == 39
    assert set(reasons) == {reason("h264", AFTER_LOSS)}


@pytest.mark.parametrize("name", ["h264", "av1"])
def test_a_damaged_packet_is_left_out_with_those_that_need_it(name):
    packets = encode(name)
    number, is_key, data = packets[5]
    packets[5] = Coded(number, is_key, data[: len(data) * 2 // 3])
    tags, shown, reasons = decode(packets, FORMS[name])
    assert tags == shown == [*range(5), *range(10, 20)]
    assert reasons == {reason(FORMS[name], DAMAGED): 5}


def test_the_count_in_the_messages_tells_of_a_lost_packet_that_the_stream_does_not():
    """Sixteen pictures make frame_num of H.264 begin again, here."""
    packets = encode("h264", 60, 40)
    del packets[8:24]
    for transport in ("ffmpeg", "foxglove"):
        tags, shown, _ = decode(packets, "h264", transport)
        assert tags == shown == [*range(8), *range(40, 60)]


def test_a_packet_that_its_sender_marks_as_damaged_is_left_out():
    parser, decoder = PacketParser(), StreamDecoder()
    reasons = []
    for coded in encode("h264", 10):
        sent = message("ffmpeg", "h264", coded)
        if coded.number == 3:
            sent.flags = 2
        reasons += [outcome.reason for outcome in decoder.feed(parser.parse(sent), coded.number)]
    assert [i for i, text in enumerate(reasons) if text] == [3, 4]


def test_parameter_sets_in_a_message_of_their_own_belong_to_the_picture_after_them():
    packets = encode("h264", 10)
    split = []
    for coded in packets:
        if coded.is_key:
            at = coded.data.rindex(b"\x00\x00\x01\x65")  # the first slice of the key frame, the only one
            split.append(Coded(coded.number, False, coded.data[:at]))
            coded = coded._replace(data=coded.data[at:])
        split.append(coded)
    tags, shown, reasons = decode(split, "h264")
    assert tags == shown == list(range(10)) and not reasons


def test_a_stream_without_parameter_sets_says_so():
    packets = [coded._replace(data=coded.data[coded.data.rindex(b"\x00\x00\x01") - 1 :]) for coded in encode("h264", 6)]
    tags, _, reasons = decode(packets, "h264")
    assert tags == []
    assert reason("h264", WITHOUT_SETS) in reasons


def test_units_with_lengths_as_in_mp4_are_read():
    packets = []
    for coded in encode("h264", 10):
        units = [unit.rstrip(b"\x00") for unit in coded.data.split(b"\x00\x00\x01") if unit.strip(b"\x00")]
        packets.append(coded._replace(data=b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)))
    tags, shown, _ = decode(packets, "h264")
    assert tags == shown == list(range(10))


def test_a_stream_may_change_its_size_at_a_key_frame():
    larger = [np.kron(picture(i), np.ones((2, 2, 1), np.uint8)) for i in range(5)]
    second = [coded._replace(number=coded.number + 5) for coded in encode("h264", pictures=larger)]
    parser, decoder = PacketParser(), StreamDecoder()
    sizes = []
    for coded in encode("h264", 5) + second:
        for outcome in decoder.feed(parser.parse(message("foxglove", "h264", coded)), coded.number):
            sizes.append(to_pixels(outcome.frame).size)
    assert sizes == [(64, 48)] * 5 + [(128, 96)] * 5


def test_a_late_picture_is_no_lost_one():
    """The camera stalls for most of a second; H.264 counts its pictures."""
    parser, decoder = PacketParser(), StreamDecoder()
    found = []
    for coded in encode("h264", 12, 20):
        late = Coded(coded.number + 5 * (coded.number > 6), coded.is_key, coded.data)
        found += decoder.feed(parser.parse(message("foxglove", "h264", late)), coded.number)
    assert [outcome.tag for outcome in found if outcome.frame is not None] == list(range(12))


def test_what_is_no_video_is_refused_by_name():
    with pytest.raises(ImageError, match=r"'theora'.*H\.264"):
        PacketParser().parse(message("compressed", "theora", Coded(0, True, b"\x00")))


def test_a_stamp_is_that_of_the_message():
    packet = PacketParser().parse(message("foxglove", "h264", encode("h264", 3)[2]))
    assert packet.stamp_ns == START_NS + 2 * TENTH


def test_a_flood_of_data_without_pictures_harms_nothing():
    # Supplemental information (NAL unit 6) in packets of its own, as some encoders send it.
    parser, decoder = PacketParser(), StreamDecoder()
    coded = encode("h264")
    information = coded[0]._replace(data=b"\0\0\0\1\x06\x05\xff" + b"x" * 200_000 + b"\x80", is_key=False)
    outcomes = []
    for i in range(12):
        outcomes += decoder.feed(parser.parse(message("compressed", "h264", information)), -12 + i)
    for each in coded:
        outcomes += decoder.feed(parser.parse(message("compressed", "h264", each)), each.number)
    outcomes += decoder.flush()
    whole = [number_in(to_pixels(outcome.frame).array) for outcome in outcomes if outcome.frame is not None]
    assert whole == list(range(20))
