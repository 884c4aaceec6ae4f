{# SPDX-License-Identifier: Apache-2.0 -#}
{# For awk programs in single quotes. It reads what Pacemaker's tools print, which has no comments. -#}
BEGIN { RS = "<" }
# Of each tag: its name, with a "/" where it ends an element; what it has, escapes left as they are;
# and whether the element is empty.
{
    split("", has)
    match($0, /^\/?[^ \t\n\/>]*/)
    name = substr($0, 1, RLENGTH)
    rest = substr($0, RLENGTH + 1)
    while (match(rest, /^[ \t\n]+[^ \t\n=>]+=("[^"]*"|\047[^\047]*\047)/)) {
        key = value = substr(rest, 1, RLENGTH)
        rest = substr(rest, RLENGTH + 1)
        gsub(/^[ \t\n]+|=.*/, "", key)
        sub(/^[^=]*=./, "", value)
        has[key] = substr(value, 1, length(value) - 1)
    }
    empty = rest ~ /^[ \t\n]*\//
}
