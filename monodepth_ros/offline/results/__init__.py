# SPDX-License-Identifier: Apache-2.0
"""What an offline run writes: depth files, video, cloud, trajectory, bag, report; one idea per file."""
