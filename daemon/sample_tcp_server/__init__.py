# SPDX-License-Identifier: Apache-2.0
"""A TCP server that greets its clients and names the node it runs on."""
