# SPDX-License-Identifier: Apache-2.0
"""Messages of Foxglove's schemas, and ROS messages as JSON, as CDR of the ROS 2 type that corresponds to them."""

from monodepth_ros.data.bags.foxglove.records import TranslationError
from monodepth_ros.data.bags.foxglove.translation import MissingProtobufError, Translator, translator

__all__ = ["MissingProtobufError", "TranslationError", "Translator", "translator"]
