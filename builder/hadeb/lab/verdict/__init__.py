# SPDX-License-Identifier: Apache-2.0
"""What the clients' answers and the nodes' logs show. Pure."""
