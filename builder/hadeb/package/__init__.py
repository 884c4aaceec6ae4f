# SPDX-License-Identifier: Apache-2.0
"""The package value, and the way from a bundle to a .deb."""
