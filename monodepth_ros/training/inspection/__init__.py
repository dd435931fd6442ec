# SPDX-License-Identifier: Apache-2.0
"""`monodepth inspect`: which frames a training would use, and what is wrong with a recording."""
