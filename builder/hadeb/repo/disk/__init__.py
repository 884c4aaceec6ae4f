# SPDX-License-Identifier: Apache-2.0
"""A repository on disk: layout, pool, generations, history."""
