# SPDX-License-Identifier: Apache-2.0
"""Self-supervised training of the networks."""
