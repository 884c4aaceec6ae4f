# SPDX-License-Identifier: Apache-2.0
"""bundle.toml: its model, its reader, and the rules that its keys obey. Pure."""
