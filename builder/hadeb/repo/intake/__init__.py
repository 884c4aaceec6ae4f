# SPDX-License-Identifier: Apache-2.0
"""Incoming packages: copied, checked and read."""
