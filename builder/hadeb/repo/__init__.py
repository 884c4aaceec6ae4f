# SPDX-License-Identifier: Apache-2.0
"""The signed apt repository: a static tree of pool, generations and the pages beside them.

hadeb owns the transaction: what is in a suite, in what order files reach the disk, and when the
new generation takes the old one's place. apt-ftparchive reads packages and writes Release; gpg
signs; apt itself checks the result before the switch.
"""
