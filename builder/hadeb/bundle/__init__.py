# SPDX-License-Identifier: Apache-2.0
"""From a manifest and the files it names to a bundle."""
