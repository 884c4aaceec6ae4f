# SPDX-License-Identifier: Apache-2.0
"""Signatures and keys, by gpg, gpgv and sqv."""
