# SPDX-License-Identifier: Apache-2.0
"""The keyring package, which brings the repository's keys to clients."""
