# SPDX-License-Identifier: Apache-2.0
"""The package that brings the repository's keys to clients."""
