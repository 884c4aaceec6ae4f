# SPDX-License-Identifier: Apache-2.0
"""Packages and sources on their way in: read, checked, copied."""
