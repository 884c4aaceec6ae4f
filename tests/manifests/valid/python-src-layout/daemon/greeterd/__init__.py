# SPDX-License-Identifier: Apache-2.0
# Not this one: src/ comes first.
