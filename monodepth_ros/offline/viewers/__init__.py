# SPDX-License-Identifier: Apache-2.0
"""What shows a run while it goes: a window, or Rerun."""
