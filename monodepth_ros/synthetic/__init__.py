# SPDX-License-Identifier: Apache-2.0
"""A synthetic world: drives through procedural streets with exact depth, poses and motion in metres.

Read in this order: `road` (the street's centreline), `street` (houses, plants and cars along it), `scene` (all of it as
textured polygons), `renderer` (polygons to pixels), `drive` (a vehicle with cameras on its way).
"""
