# SPDX-License-Identifier: Apache-2.0
"""Pictures for people: depth, clouds, trajectories, charts, sheets, pages."""
