# SPDX-License-Identifier: Apache-2.0
"""Faults in messages: what a broken camera, gyro or robot may publish. Every fault is a function of the camera process.

Each takes the camera, two random generators of the same seed, and how often to publish it.
"""

import math
import time

import cv2
import numpy as np
from sensor_msgs.msg import Image
from tf2_msgs.msg import TFMessage

from reliability.soak.messages import (
    BASE,
    FRAME,
    HEIGHT,
    WIDTH,
    calibration,
    data_of,
    gyro,
    image,
    noise,
    transform,
)

SECOND = 1_000_000_000
ODD_TEXTS = (
    "",
    "no/such frame",
    "\x1b[2J\x1b[31mred",
    "two\nlines\rand\ttabs",
    "x" * 5000,
    "\u202eright to left",
    "%s%n{0}",
    "../../../etc/passwd",
    "müßig 深度",
)
ODD_NUMBERS = (math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-300, 1e300, -1e9, 1e12)
ODD_SIZES = (0, 1, 2, 31, 2**16, 2**31, 2**32 - 1)
PAUSE = 0.004  # seconds between messages that get no answer


def wrong_size(camera, random, values, count) -> None:
    """Images whose width, height, step and data do not fit each other."""
    for _ in range(count):
        message = camera.picture(camera.stamp())
        for field in random.sample(("width", "height", "step"), random.randint(0, 3)):
            setattr(message, field, random.choice((*ODD_SIZES, WIDTH, HEIGHT, 3 * WIDTH + random.randint(-4, 4))))
        if random.random() < 0.6:
            message.data = message.data[: random.choice((0, 1, random.randrange(len(message.data))))]
        camera.publish(message)
        camera.wait(PAUSE)


def odd_encoding(camera, random, values, count) -> None:
    """Images of encodings that do not exist, hold no picture, or do not fit the data."""
    names = (*ODD_TEXTS, "rgb12", "32FC1", "8UC0", "64FC4", "mono16", "bayer_rggb16", "yuv422", "nv21", "jpeg", "h264")
    for _ in range(count):
        message = camera.picture(camera.stamp())
        message.encoding, message.is_bigendian = random.choice(names), random.choice((0, 1, 255))
        camera.publish(message)
        camera.wait(PAUSE)


def cut_jpeg(camera, random, values, count) -> None:
    """JPEG and PNG in raw messages: whole, cut, with holes, with noise."""
    picture = cv2.GaussianBlur(values.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 2)
    whole = [cv2.imencode(ending, picture)[1].tobytes() for ending in (".jpg", ".png")]
    for _ in range(count):
        data = bytearray(random.choice(whole))
        for _ in range(random.randint(0, 4)):
            start = random.randrange(40, len(data))
            data[start : start + random.randint(1, 200)] = values.bytes(random.randint(0, 200))
        if random.random() < 0.5:
            del data[random.randrange(2, len(data)) :]
        message = camera.picture(camera.stamp())
        message.data, message.encoding = data_of(bytes(data)), random.choice(("jpeg", "png", "rgb8", "jpg"))
        camera.publish(message)
        camera.wait(PAUSE)


def noise_images(camera, random, values, count) -> None:
    """Images without anything to see: black, white, noise, one grey."""
    for _ in range(count):
        message = camera.picture(camera.stamp())
        size = len(message.data)
        message.data = random.choice(
            (noise(values, size), data_of(bytes(size)), data_of(b"\xff" * size), data_of(b"\x7f" * size))
        )
        camera.publish(message)
        camera.wait(PAUSE)


def other_size(camera, random, values, count) -> None:
    """A few images of another size with their calibration, as after a change of the driver's mode."""
    width, height = random.choice(((64, 32), (640, 192), (320, 240), (2, 2), (96, 320)))
    for _ in range(min(count, 8)):
        stamp_ns = camera.stamp()
        camera.infos.publish(calibration(stamp_ns, width=width, height=height))
        camera.publish(image(noise(values, 3 * width * height), stamp_ns, width=width, height=height))
        camera.wait(0.03)


def odd_calibration(camera, random, values, count) -> None:
    """camera_info with impossible numbers, sizes, models and lengths, each followed by a good image."""
    for _ in range(count):
        info = calibration(camera.stamp())
        for _ in range(random.randint(1, 3)):
            kind = random.randrange(7)
            if kind < 3:
                matrix = (info.k, info.r, info.p)[kind]
                matrix[random.randrange(len(matrix))] = random.choice(ODD_NUMBERS)
            elif kind == 3:
                info.d = [random.choice(ODD_NUMBERS) for _ in range(random.choice((0, 1, 4, 5, 8, 9, 5000)))]
            elif kind == 4:
                info.distortion_model = random.choice((*ODD_TEXTS, "equidistant", "fisheye", "rational_polynomial"))
            elif kind == 5:
                info.width, info.height = random.choice(ODD_SIZES), random.choice((*ODD_SIZES, HEIGHT))
            else:
                info.binning_x = random.choice(ODD_SIZES)
                info.roi.width, info.roi.x_offset = random.choice(ODD_SIZES), random.choice(ODD_SIZES)
        camera.infos.publish(info)
        camera.publish(camera.picture(camera.stamp()))
        camera.wait(PAUSE)


def alternating_calibration(camera, random, values, count) -> None:
    """camera_info that changes with every image."""
    for number in range(count):
        stamp_ns = camera.stamp()
        info = calibration(stamp_ns)
        info.k[0] *= 1.0 + 0.2 * (number % 2)
        info.p[0] = info.k[0]
        camera.infos.publish(info)
        camera.publish(camera.picture(stamp_ns))
        camera.wait(0.02)


def absurd_gyro(camera, random, values, count) -> None:
    """Turn rates that are finite but absurd, or not finite, among good ones."""
    for _ in range(count):
        rate = [0.0, 0.0, 0.0]
        rate[random.randrange(3)] = random.choice((*ODD_NUMBERS, 1e4, -500.0))
        camera.gyro.publish(gyro(camera.stamp(), tuple(rate)))
        camera.publish_good()
        camera.wait(PAUSE)


def gyro_stamps(camera, random, values, count) -> None:
    """Gyro messages with stamps of zero, repeated, from the past and from the future, and of other frames."""
    for _ in range(count):
        shift = random.choice((0, -SECOND, -3600 * SECOND, 3600 * SECOND, 10 * SECOND))
        stamp_ns = random.choice((0, max(0, camera.stamp() + shift)))
        message = gyro(stamp_ns)
        message.header.frame_id = random.choice((FRAME, BASE, *ODD_TEXTS))
        camera.gyro.publish(message)
        camera.publish_good()
        camera.wait(PAUSE)


def odd_stamps(camera, random, values, count) -> None:
    """Images with stamps of zero, repeated, backwards, before 1970 and in the far future."""
    now = camera.stamp()
    for _ in range(count):
        stamp_ns = random.choice((0, 1, now, now, now - SECOND, now - 3600 * SECOND, now + 3600 * SECOND, -5 * SECOND))
        camera.publish(camera.picture(stamp_ns))
        camera.wait(PAUSE)


def gap(camera, random, values, count) -> None:
    """Silence for more than the odometry's longest gap."""
    camera.publish_good()
    camera.wait(1.2 + random.random())


def burst(camera, random, values, count) -> None:
    """Good images without a pause."""
    for _ in range(count):
        camera.publish_good()


def other_frames(camera, random, values, count) -> None:
    """Images and camera_info of other and odd frame_ids."""
    for _ in range(count):
        stamp_ns, frame = camera.stamp(), random.choice(ODD_TEXTS)
        camera.infos.publish(calibration(stamp_ns, random.choice((frame, FRAME, "other"))))
        camera.publish(camera.picture(stamp_ns, random.choice((frame, FRAME))))
        camera.wait(PAUSE)


def second_camera(camera, random, values, count) -> None:
    """Two cameras of different frame_ids in turns on one topic, through two publishers."""
    other = camera.node.create_publisher(Image, "image", 5)
    for _ in range(count):
        camera.publish_good()
        other.publish(camera.picture(camera.stamp(), "other_camera"))
        camera.sent += 1
        camera.wait(0.02)
    camera.node.destroy_publisher(other)


def tf_conflict(camera, random, values, count) -> None:
    """A second parent for the robot's base, on /tf and sometimes on /tf_static, among good images."""
    is_static = random.random() < 0.3
    for _ in range(count):
        message = TFMessage(transforms=[transform(random.choice(("map", "odom")), BASE, camera.stamp())])
        (camera.tf_static if is_static else camera.tf).publish(message)
        camera.publish_good()
        camera.wait(PAUSE)


def odd_transforms(camera, random, values, count) -> None:
    """Transforms that are no motions, loops in the tree, odd names, many frames."""
    for _ in range(count):
        numbers = [random.choice((*ODD_NUMBERS, 0.5)) for _ in range(7)]
        parent, child = random.choice((BASE, FRAME, *ODD_TEXTS)), random.choice((BASE, FRAME, *ODD_TEXTS, "x"))
        stamp_ns = random.choice((0, camera.stamp(), -1))
        odd = transform(parent, child, stamp_ns, place=numbers[:3], turn=numbers[3:])
        crowd = [transform(BASE, f"wheel_{random.randrange(100)}", camera.stamp()) for _ in range(10)]
        camera.tf.publish(TFMessage(transforms=[odd, *crowd]))
        camera.publish_good()
        camera.wait(PAUSE)
    camera.place_camera()


def uncalibrated(camera, random, values, count) -> None:
    """camera_info of zeros, ROS's sign for no calibration, for a while."""
    for _ in range(count):
        stamp_ns = camera.stamp()
        info = calibration(stamp_ns)
        info.k, info.p = [0.0] * 9, [0.0] * 12
        camera.infos.publish(info)
        camera.publish(camera.picture(stamp_ns))
        camera.wait(PAUSE)


def late_clock(camera, random, values, count) -> None:
    """A clock that jumps by an hour for a while and comes back."""
    shift = random.choice((-3600, 3600)) * SECOND
    for _ in range(count):
        camera.publish(camera.picture(camera.stamp() + shift))
        camera.wait(0.01)
    time.sleep(0.01)


FAULTS = {
    function.__name__: function
    for function in (
        *(wrong_size, odd_encoding, cut_jpeg, noise_images, other_size, odd_calibration, alternating_calibration),
        *(absurd_gyro, gyro_stamps, odd_stamps, gap, burst, other_frames, second_camera, tf_conflict),
        *(odd_transforms, uncalibrated, late_clock),
    )
}
