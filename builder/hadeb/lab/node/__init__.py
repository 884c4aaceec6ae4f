# SPDX-License-Identifier: Apache-2.0
"""A node: its image, its packages, and Debian running in a container."""
