# SPDX-License-Identifier: Apache-2.0
"""A TCP server that greets whoever connects, and names the node it runs on."""
