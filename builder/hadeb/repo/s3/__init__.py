# SPDX-License-Identifier: Apache-2.0
"""A repository in an object store that speaks S3."""
