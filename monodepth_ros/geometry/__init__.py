# SPDX-License-Identifier: Apache-2.0
"""Camera models, rigid motions and warping; numpy or torch, no input or output."""
