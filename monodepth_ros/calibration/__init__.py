# SPDX-License-Identifier: Apache-2.0
"""A camera's intrinsics from its own recording, by bundle adjustment of tracked corners."""
