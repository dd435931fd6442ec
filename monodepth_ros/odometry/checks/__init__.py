# SPDX-License-Identifier: Apache-2.0
"""Checks that refuse bad images and wrong motions."""
