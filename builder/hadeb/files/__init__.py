# SPDX-License-Identifier: Apache-2.0
"""Files on disk: atomic writes, locks, scratch directories, digests."""
