# SPDX-License-Identifier: Apache-2.0
"""Terms of the training objective, one idea per file."""
