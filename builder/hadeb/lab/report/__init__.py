# SPDX-License-Identifier: Apache-2.0
"""A run as table, page, JSON and JUnit. Pure, but for writing the files."""
