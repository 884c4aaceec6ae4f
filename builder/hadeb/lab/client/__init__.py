# SPDX-License-Identifier: Apache-2.0
"""Clients of the service, and what their answers show."""
