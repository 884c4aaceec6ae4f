# SPDX-License-Identifier: Apache-2.0
"""Pacemaker's own formats and commands. Pure."""
