# SPDX-License-Identifier: Apache-2.0
"""The machine that a lab runs on: namespaces, processes, and the list of labs."""
