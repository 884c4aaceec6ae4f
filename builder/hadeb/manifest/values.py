# SPDX-License-Identifier: Apache-2.0
"""The kinds of values in a manifest: the rule of each, and the error that breaks it. Pure.

Names, versions and relations follow hadeb.debian, paths Debian Policy 10.1, and the values of a
cluster what Pacemaker's XML can hold.
"""

from __future__ import annotations

import ipaddress
import re
import string
import warnings
from typing import Annotated, Literal

from hadeb.debian.names import PACKAGE_PATTERN
from hadeb.debian.relations import ALTERNATIVES_PATTERN, PROVISION_PATTERN, SINGLE_PATTERN
from hadeb.debian.version import VERSION_PATTERN
from hadeb.manifest.constraints import CONTROL_CHARACTER, Text, matching, one_of
from hadeb.manifest.fault_names import FAULT_NAMES
from hadeb.manifest.reader import suggestion

# A percent sign and the specifier after it (systemd.unit(5)).
_PERCENT = re.compile(r"%(?:[%aAbBCdDEfgGhHiIjJlLmMnNopPqsStTuUvVwWyY]|(?P<unknown>.?))")
# Quotes come in pairs, also within a word; a backslash escapes one (systemd.syntax(7)).
_IN_QUOTES = r"""\\.|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_QUOTED = re.compile(rf"""(?:[^'"\\]|{_IN_QUOTES}|\\$)*""")
_WORD = re.compile(rf"""(?:[^\s'"\\]|{_IN_QUOTES})+""")
# The units of time that Pacemaker, crmsh and every pcs take; a plain number is in seconds.
# Pacemaker also takes milliseconds, but pcs 0.12 refuses them.
_SECONDS = {
    **dict.fromkeys(("", "s", "sec"), 1),
    **dict.fromkeys(("m", "min"), 60),
    **dict.fromkeys(("h", "hr"), 3600),
}

ARCHITECTURES = (
    "all amd64 arm64 armel armhf hppa i386 ia64 loong64 m68k mips64el mipsel powerpc ppc64 "
    "ppc64el riscv64 s390x sparc64 x32"
).split()

SECTIONS = (
    "admin cli-mono comm database debug devel doc editors education electronics embedded fonts "
    "games gnome gnu-r gnustep graphics hamradio haskell httpd interpreters introspection java "
    "javascript kde kernel libdevel libs lisp localization mail math metapackages misc net news "
    "ocaml oldlibs otherosfs perl php python ruby rust science shells sound tex text utils vcs "
    "video web x11 xfce zope"
).split()

# Where a package may not put a file: others own it, it differs by node, or boot empties it.
_FORBIDDEN_ROOTS = (
    "/usr/local /run /var/run /var/lock /tmp /var/tmp /proc /sys /dev /home /root /mnt /media"
).split()
# The longest name of a file in bytes, and the sentence for a longer one.
_LONGEST_NAME = 255 - len(".dpkg-new")
TOO_LONG = f"contains a name of more than {_LONGEST_NAME} bytes, which dpkg cannot unpack"
_MERGED_ROOTS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


def _line_refusal(value: str) -> str | None:
    if not value.strip():
        return "must not be empty"
    if CONTROL_CHARACTER.search(value):
        return "must be one line without control characters"
    return None


def _paragraphs_refusal(value: str) -> str | None:
    if CONTROL_CHARACTER.search(value.replace("\n", "")):
        return "must be text without control characters"
    return None


def source_refusal(value: str) -> str | None:
    """Why a manifest may not name this file, None if it may."""
    if refusal := _line_refusal(value):
        return refusal
    if value.startswith("/") or ".." in value.split("/"):
        return f"{value!r} must be in or below the manifest's directory; write a relative path"
    return None


def is_too_long(name: str) -> bool:
    """Whether dpkg cannot unpack a file of this name: NAME.dpkg-new must fit in 255 bytes."""
    return len(name.encode("utf-8", "surrogateescape")) > _LONGEST_NAME


def _path_refusal(value: str) -> str | None:
    if refusal := _line_refusal(value):
        return refusal
    parts = value.split("/")
    if not value.startswith("/") or "" in parts[1:] or {".", ".."} & set(parts):
        return f"{value!r} must be an absolute path without '.', '..' and repeated or trailing '/'"
    if any(character.isspace() for character in value):
        return f"{value!r} must not contain blanks"
    if any(is_too_long(part) for part in parts):
        return TOO_LONG
    for root in _FORBIDDEN_ROOTS:
        if value == root or value.startswith(root + "/"):
            return f"{value!r} is not for packages; {root} belongs to the machine"
    for root in _MERGED_ROOTS:
        if value == root or value.startswith(root + "/"):
            return f"{value!r} is an alias on merged-/usr systems; write '/usr{value}'"
    return None


def _unit_text_refusal(value: str) -> str | None:
    if refusal := _line_refusal(value):
        return refusal
    if value.rstrip().endswith("\\"):
        return "must not end in a backslash, which continues the line in a unit file"
    for percent in _PERCENT.finditer(value):
        if percent["unknown"] is not None:
            sentence = "which is not a specifier of systemd; write '%%' for a percent sign"
            return f"contains {percent[0]!r}, {sentence}"
    return None


def command_refusal(value: str) -> str | None:
    """Why this is not a command line of a unit, None if it is."""
    if not value.startswith("/") or CONTROL_CHARACTER.search(value):
        return f"{value!r} must be one line that begins with the program's absolute path"
    if not _QUOTED.fullmatch(value):
        return f"{value!r} has an unclosed quote"
    return _unit_text_refusal(value)


def _one_command_refusal(value: str) -> str | None:
    if ";" in _WORD.findall(value):
        sentence = "systemd takes what follows for a second command, and only one is allowed"
        return f"{value!r} has a ';' by itself; {sentence}; write '\\;' for a literal one"
    return command_refusal(value)


def _address_refusal(value: str) -> str | None:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return f"{value!r} is not an IP address; write the address itself, not a name"
    # A zone names a network interface of one node, but clients ask from outside.
    if "%" in value:
        return f"{value!r} must not have a zone"
    if address.is_loopback or address.is_unspecified:
        return f"{value!r} is every machine's own; clients ask another machine"
    if address.is_multicast or value == "255.255.255.255":
        return f"{value!r} is the address of many machines; clients ask one"
    if address.version == 6 and address.is_link_local:
        return f"{value!r} needs a zone, which clients on other machines do not have"
    return None


def _expectation_refusal(value: str) -> str | None:
    try:
        with warnings.catch_warnings():
            # Python warns of syntax that it may change; that is not for the user.
            warnings.simplefilter("ignore")
            re.compile(value)
    except re.error as error:
        return f"{value!r} is not a regular expression in Python's syntax: {error}"
    except (OverflowError, RecursionError):
        return "is a regular expression that is too large"
    return None


def _fault_refusal(value: str) -> str | None:
    if value in FAULT_NAMES:
        return None
    return f"is no fault ({suggestion(value, FAULT_NAMES)}); `hadeb lab faults` lists them"


def seconds(duration: str) -> int:
    """A Duration in seconds."""
    number = duration.rstrip(string.ascii_lowercase)
    return int(number) * _SECONDS[duration[len(number) :]]


def maintainer_refusal(value: str) -> str | None:
    """Why this is not a maintainer, None if it is; for values from the environment."""
    return _MAINTAINER.refusal(value)


Line = Annotated[str, Text(_line_refusal, {"minLength": 1})]
Paragraphs = Annotated[str, Text(_paragraphs_refusal, {})]
SourcePath = Annotated[str, Text(source_refusal, {"minLength": 1})]
AbsolutePath = Annotated[str, Text(_path_refusal, {"pattern": "^/"})]
UnitText = Annotated[str, Text(_unit_text_refusal, {"minLength": 1})]
CommandLine = Annotated[str, Text(command_refusal, {"pattern": "^/"})]
OneCommand = Annotated[str, Text(_one_command_refusal, {"pattern": "^/"})]
UserName = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_-]{0,30}", "is not the name of a user")]
PackageName = Annotated[
    str,
    matching(
        PACKAGE_PATTERN,
        "must be two or more lower-case letters, digits, '+', '-' and '.', "
        "and begin with a letter or digit",
    ),
]
Version = Annotated[
    str,
    matching(
        VERSION_PATTERN,
        "is not a Debian version; it begins with a digit, continues with letters, digits, "
        "'.', '+', '~' and '-', and does not end in '-'",
    ),
]
_MAINTAINER = matching(
    r"[^<>\x00-\x1f]*[^<>\x00-\x1f ] <[^<>@\s]+@[^<>@\s]+>",
    "must be a name and an address, as in 'Jane Roe <jane@example.org>'",
)
Maintainer = Annotated[str, _MAINTAINER]
Copyright = Annotated[
    str,
    matching(
        r"[0-9]{4}(?:[-, ]+[0-9]{4})* [^\x00-\x1f]*\S",
        "must be a year or years and a name, as in '2026 Jane Roe'",
    ),
]
ProviderName = Annotated[
    str,
    matching(
        r"(?!(?:heartbeat|pacemaker)$)[A-Za-z0-9][A-Za-z0-9_-]*",
        "must be one directory name of letters, digits, '_' and '-'; 'heartbeat' and "
        "'pacemaker' belong to other packages",
    ),
]
Relation = Annotated[
    str,
    matching(
        ALTERNATIVES_PATTERN,
        "is not a relation; write 'name', 'name (>= 1.2)' or 'name | other'",
    ),
]
# dpkg takes no alternatives in these fields, and no range of versions in Provides.
SingleRelation = Annotated[
    str,
    matching(
        SINGLE_PATTERN,
        "is not a relation to one package; write 'name' or 'name (<< 1.2)', one to an entry",
    ),
]
Provision = Annotated[
    str,
    matching(
        PROVISION_PATTERN,
        "is not a package to provide; write 'name' or 'name (= 1.2)', one to an entry",
    ),
]
WebAddress = Annotated[
    str, matching(r"https?://[^\s<>]+", "must be an address that begins with https:// or http://")
]
FileMode = Annotated[
    str, matching(r"0?[0-7]{3}|[0-7]{4}", 'must be octal permissions as text, such as "0644"')
]
Capability = Annotated[
    str, matching(r"CAP_[A-Z_]+", "must be the name of a capability, such as CAP_NET_BIND_SERVICE")
]
EnvironmentName = Annotated[
    str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "is not the name of a variable")
]
Architecture = Annotated[str, one_of("a Debian architecture", ARCHITECTURES)]
Section = Annotated[str, one_of("an archive section", SECTIONS)]
FaultName = Annotated[str, Text(_fault_refusal, {"enum": list(FAULT_NAMES)})]
AddressFamily = Literal["AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"]
Duration = Annotated[
    str,
    matching(
        rf"[0-9]{{1,9}}(?:{'|'.join(filter(None, _SECONDS))})?",
        "is not a duration; write '10s', '2min', '1h' or, in seconds, '10'",
    ),
]
Score = Annotated[
    str,
    matching(
        r"[+-]?(?:INFINITY|[0-9]{1,7})",
        "is not a score; write a whole number, INFINITY or -INFINITY",
    ),
]
# It is an XML id in the CIB and the instance of a systemd unit.
ResourceName = Annotated[
    str,
    matching(
        r"[A-Za-z_][A-Za-z0-9_.-]{0,99}",
        "must be up to 100 letters, digits, '_', '.' and '-', and begin with a letter or '_'",
    ),
]
OptionName = Annotated[
    str,
    matching(
        r"[A-Za-z_][A-Za-z0-9_.-]*",
        "must be letters, digits, '_', '.' and '-', and begin with a letter or '_'",
    ),
]
AgentName = Annotated[
    str,
    matching(
        r"ocf:[A-Za-z0-9][A-Za-z0-9_.-]*:[A-Za-z0-9][A-Za-z0-9_.-]*"
        r"|(?:systemd|service|lsb):[A-Za-z0-9][A-Za-z0-9_.@-]*",
        "is not an agent; write 'ocf:PROVIDER:TYPE', 'systemd:UNIT', 'service:NAME' or 'lsb:NAME'",
    ),
]
IpAddress = Annotated[str, Text(_address_refusal, {"pattern": r"^[0-9A-Fa-f.:]+$"})]
# JSON schema has a format for regular expressions, but ECMAScript has no (?P<node>…).
Expectation = Annotated[str, Text(_expectation_refusal, {})]
