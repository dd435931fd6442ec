# SPDX-License-Identifier: Apache-2.0
"""Teaching the networks."""
