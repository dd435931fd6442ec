# SPDX-License-Identifier: Apache-2.0
"""Inference: a checkpoint's networks on images, by one of several engines behind one interface."""
