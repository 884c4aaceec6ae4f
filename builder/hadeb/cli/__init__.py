# SPDX-License-Identifier: Apache-2.0
"""The commands: the only code that prints, reads the terminal or exits."""
