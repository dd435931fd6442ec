# SPDX-License-Identifier: Apache-2.0
"""Headers of compressed pictures: what size they claim, before a library decodes them."""
