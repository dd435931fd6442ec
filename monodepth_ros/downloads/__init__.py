# SPDX-License-Identifier: Apache-2.0
"""Downloads: the catalogue of checkpoints, downloaded checkpoints, transfers over HTTP, archives."""
