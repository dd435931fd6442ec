# SPDX-License-Identifier: Apache-2.0
"""16-bit images are stretched by the bits in use, by a rule that does not flicker, or by a stated range."""

import cv2
import numpy as np
import pytest
from image_messages import compressed, message, mosaic, scene

from monodepth_ros.data.images.image_codec import DecoderOptions, ImageDecoder, ImageError, decode_image

GRAY = cv2.cvtColor(scene(), cv2.COLOR_RGB2GRAY)


def bright(bits, scale=1.0):
    """A 16-bit image message that uses `bits` bits, times a brightness."""
    return message((GRAY * scale).astype(np.uint16) << (bits - 8), "mono16")


def live_decoder(**options):
    remarks = []
    return ImageDecoder(DecoderOptions(**options), remarks.append), remarks


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_bits_in_use_become_the_whole_range_of_8(bits):
    decoder, remarks = live_decoder()
    decoded = decoder.decode(bright(bits)).array
    assert np.abs(decoded.astype(int) - GRAY).max() <= 1
    expected = [] if bits == 16 else [f"the 16-bit images use {bits} bits: stretched by {2 ** (16 - bits)}"]
    decoder.decode(bright(bits))
    assert remarks == expected


@pytest.mark.parametrize("encoding", ["bayer_rggb16", "rgb16", "16UC1", "mono12"])
def test_every_16_bit_encoding_is_stretched(encoding):
    picture = {"bayer_rggb16": mosaic(scene()), "rgb16": scene()}.get(encoding, GRAY)
    decoded = decode_image(message(picture.astype(np.uint16) << 2, encoding)).array
    plain = decode_image(message(picture, encoding.replace("16", "8").replace("8UC", "8UC").replace("12", "8"))).array
    assert np.abs(decoded.astype(int) - plain).max() <= 1


def test_hot_pixels_do_not_count():
    values = GRAY.astype(np.uint16) << 2
    values = np.tile(values, (4, 4))
    values[5, 7] = values[90, 100] = 65535
    decoded = decode_image(message(values, "mono16")).array
    assert decoded[5, 7] == 255 and np.abs(decoded[:64, 96:192].astype(int) - GRAY).max() <= 1


def test_the_range_of_a_live_camera_grows_and_does_not_shrink():
    decoder, remarks = live_decoder()
    dark, day = bright(12, 0.1), bright(12)
    assert decoder.decode(dark).array.mean() > 2 * (GRAY * 0.1).mean(), "fewer bits so far"
    np.testing.assert_allclose(decoder.decode(day).array.astype(int), GRAY, atol=1)
    np.testing.assert_allclose(decoder.decode(dark).array.astype(int), (GRAY * 0.1).astype(int), atol=1)
    assert [remark.split()[4] for remark in remarks] == ["10", "12"]


def test_a_sample_fixes_the_range_for_dark_and_bright_images_alike():
    decoder, remarks = live_decoder()
    assert decoder.needs_sample(bright(12))
    decoder.learn([bright(12, 0.1), bright(12), message(GRAY, "mono8"), message(GRAY, "nonsense")])
    np.testing.assert_allclose(decoder.decode(bright(12, 0.1)).array.astype(int), (GRAY * 0.1).astype(int), atol=1)
    assert decoder.decode(bright(16)).array.mean() > 250, "white, and the same in every order of reading"
    np.testing.assert_allclose(decoder.decode(bright(12)).array.astype(int), GRAY, atol=1)
    assert len(remarks) == 2 and "uses 16 bits, the sample of the recording fewer: values above 4095" in remarks[1]
    assert "--intensity-range 0:65535" in remarks[1]


def test_a_png_of_16_bits_needs_a_sample_and_other_pictures_do_not():
    deep = compressed(cv2.imencode(".png", GRAY.astype(np.uint16) << 2)[1].tobytes(), "mono16; png compressed ")
    decoder, _ = live_decoder()
    assert decoder.needs_sample(deep)
    decoder.learn([deep])
    assert np.abs(decoder.decode(deep).array.astype(int) - GRAY).max() <= 1
    for extension in (".png", ".jpg"):
        assert not decoder.needs_sample(compressed(cv2.imencode(extension, scene())[1].tobytes(), "bgr8"))
    assert not decoder.needs_sample(message(scene(), "rgb8")) and not decoder.needs_sample(message(GRAY, "nonsense"))


def thermal():
    """Counts of a thermal camera: a small part of its 14 bits."""
    return (7000 + 2 * GRAY.astype(np.uint16)).astype(np.uint16)


def test_a_stated_range_becomes_black_to_white():
    decoder, remarks = live_decoder(intensity_range="7000:7510")
    decoded = decoder.decode(message(thermal(), "mono16")).array
    assert np.abs(decoded.astype(int) - GRAY).max() <= 1 and remarks == []
    outside = decoder.decode(message(np.array([[0, 6999, 7000, 7510, 7511, 65535]], np.uint16), "mono16")).array
    assert outside.tolist() == [[0, 0, 0, 255, 255, 255]]


def test_little_contrast_is_remarked_with_the_range_to_state():
    decoder, remarks = live_decoder()
    decoder.learn([message(thermal(), "mono16")] * 2)
    assert "use 14 bits" not in remarks[-1] and "little contrast: --intensity-range 70" in remarks[-1]
    low, high = (int(number) for number in remarks[-1].split("--intensity-range ")[1].split()[0].split(":"))
    assert 7000 <= low < 7200 < high <= 7512


@pytest.mark.parametrize("text", ["5", "9:3", "0:70000", "a:b", "3:3"])
def test_a_malformed_range_is_refused(text):
    with pytest.raises(ImageError, match="expected LOW:HIGH with 0 <= LOW < HIGH <= 65535"):
        ImageDecoder(DecoderOptions(intensity_range=text))
