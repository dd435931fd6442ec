# SPDX-License-Identifier: Apache-2.0
"""Samples for training: clips of recordings, their selection, batches, augmentation, loading."""
