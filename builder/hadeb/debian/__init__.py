# SPDX-License-Identifier: Apache-2.0
"""Debian's own syntax and data: names, versions, releases, programs. Pure."""
