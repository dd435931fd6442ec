# SPDX-License-Identifier: Apache-2.0
"""Scale sources: where the factor from network units to metres comes from, one class per source."""
