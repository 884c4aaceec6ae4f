# SPDX-License-Identifier: Apache-2.0
"""The licenses whose text every Debian system has (Debian Policy 12.5). Pure."""

from __future__ import annotations

from collections.abc import Mapping

# By SPDX identifier, the name of the file in /usr/share/common-licenses.
COMMON_LICENSES: Mapping[str, str] = {
    "Apache-2.0": "Apache-2.0",
    "Artistic-1.0-Perl": "Artistic",
    "BSD-3-Clause": "BSD",
    "CC0-1.0": "CC0-1.0",
    "GFDL-1.2-only": "GFDL-1.2",
    "GFDL-1.3-only": "GFDL-1.3",
    "GPL-1.0-only": "GPL-1",
    "GPL-1.0-or-later": "GPL-1",
    "GPL-2.0-only": "GPL-2",
    "GPL-2.0-or-later": "GPL-2",
    "GPL-3.0-only": "GPL-3",
    "GPL-3.0-or-later": "GPL-3",
    "LGPL-2.0-only": "LGPL-2",
    "LGPL-2.0-or-later": "LGPL-2",
    "LGPL-2.1-only": "LGPL-2.1",
    "LGPL-2.1-or-later": "LGPL-2.1",
    "LGPL-3.0-only": "LGPL-3",
    "LGPL-3.0-or-later": "LGPL-3",
    "MPL-1.1": "MPL-1.1",
    "MPL-2.0": "MPL-2.0",
}
