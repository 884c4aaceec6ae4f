# SPDX-License-Identifier: Apache-2.0
"""apt's own programs: apt-ftparchive, and apt-get as a trial client."""
