# SPDX-License-Identifier: Apache-2.0
"""The targets by name, without importing them."""

MODULES = {
    **dict.fromkeys(
        ("image", "compressed_image", "compressed_depth", "camera_info", "cloud", "cdr", "video"),
        "reliability.fuzz.message_targets",
    ),
    **dict.fromkeys(
        ("settings", "catalogue", "poses", "split", "calibration", "checkpoint", "exif"),
        "reliability.fuzz.text_targets",
    ),
    **dict.fromkeys(("mcap", "db3", "bag", "npy", "npz", "state", "weights"), "reliability.fuzz.file_targets"),
}
