# SPDX-License-Identifier: Apache-2.0
"""A repository and its suites, as values. Pure."""
