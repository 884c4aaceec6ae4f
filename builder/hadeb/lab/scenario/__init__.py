# SPDX-License-Identifier: Apache-2.0
"""What a lab run proves, and the cluster it runs on."""
