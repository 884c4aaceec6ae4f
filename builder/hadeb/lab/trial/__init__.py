# SPDX-License-Identifier: Apache-2.0
"""One trial for each fault, and the whole run."""
