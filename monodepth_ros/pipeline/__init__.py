# SPDX-License-Identifier: Apache-2.0
"""What happens to one frame, live or offline, and its configuration."""
