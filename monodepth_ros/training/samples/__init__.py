# SPDX-License-Identifier: Apache-2.0
"""Samples of a training: clips of recordings, selection of targets, batches, augmentation and loading."""
