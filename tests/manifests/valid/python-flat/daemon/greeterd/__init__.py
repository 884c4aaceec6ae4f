# SPDX-License-Identifier: Apache-2.0
"""A daemon."""


def main() -> int:
    return 0
