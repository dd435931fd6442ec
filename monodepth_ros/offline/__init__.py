# SPDX-License-Identifier: Apache-2.0
"""The pipeline over a whole recording: `monodepth run`, and the depth or trajectory of a checkpoint."""
