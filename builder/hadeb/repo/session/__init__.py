# SPDX-License-Identifier: Apache-2.0
"""An open repository: its settings and its one writer."""
