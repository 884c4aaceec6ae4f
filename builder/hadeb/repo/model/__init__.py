# SPDX-License-Identifier: Apache-2.0
"""What a repository and its suites hold, as values. Pure."""
