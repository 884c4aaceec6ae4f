# SPDX-License-Identifier: Apache-2.0
"""hadeb turns a daemon into a highly available Debian package."""

__version__ = "0.1.0"
