# SPDX-License-Identifier: Apache-2.0
"""The faults that the lab injects."""
