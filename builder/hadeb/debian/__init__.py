# SPDX-License-Identifier: Apache-2.0
"""Debian's syntax and data: names, versions, relations, deb822, dates, releases. Pure."""
