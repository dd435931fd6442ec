# SPDX-License-Identifier: Apache-2.0
"""Video in messages: one packet of a coded stream (H.264, H.265, AV1, VP8, VP9) in each, decoded with PyAV."""
