# SPDX-License-Identifier: Apache-2.0
"""Pictures for people: sheets, charts, clouds, trajectories."""
