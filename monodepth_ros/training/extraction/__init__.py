# SPDX-License-Identifier: Apache-2.0
"""`monodepth extract`: a recording as a folder in the layout of KITTI."""
