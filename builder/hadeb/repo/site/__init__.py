# SPDX-License-Identifier: Apache-2.0
"""The pages and files beside the indexes."""
