# SPDX-License-Identifier: Apache-2.0
"""The kinds of value that a manifest holds, each with what it allows and the sentence that refuses.

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

# A percent sign and what follows; systemd.unit(5) has the specifiers.
_PERCENT = re.compile(r"%(?:[%aAbBCdDEfgGhHiIjJlLmMnNopPqsStTuUvVwWyY]|(?P<unknown>.?))")
# Quotes in pairs, also within a word; after a backslash a quote is none (systemd.syntax(7)).
_IN_QUOTES = r"""\\.|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_QUOTED = re.compile(rf"""(?:[^'"\\]|{_IN_QUOTES}|\\$)*""")
_WORD = re.compile(rf"""(?:[^\s'"\\]|{_IN_QUOTES})+""")
# The units of time that Pacemaker, crmsh and every pcs take; a number alone is seconds. Pacemaker
# knows milliseconds too, but pcs 0.12 refuses them.
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

# Where a package may not put a file: not its own, not the same on every node, or gone at boot.
_FORBIDDEN_ROOTS = (
    "/usr/local /run /var/run /var/lock /tmp /var/tmp /proc /sys /dev /home /root /mnt /media"
).split()
# Bytes of a file's name, and what is said of a longer one.
_LONGEST_NAME = 255 - len(".dpkg-new")
TOO_LONG = f"holds a name of more than {_LONGEST_NAME} bytes, which dpkg cannot unpack"
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
    """Why a manifest may not name this file, None where it may."""
    if refusal := _line_refusal(value):
        return refusal
    if value.startswith("/") or ".." in value.split("/"):
        return f"{value!r} must lie beside or below the manifest; write a relative path"
    return None


def is_too_long(name: str) -> bool:
    """Whether dpkg could not unpack a file of this name: it writes NAME.dpkg-new, of 255 bytes."""
    return len(name.encode("utf-8", "surrogateescape")) > _LONGEST_NAME


def _path_refusal(value: str) -> str | None:
    if refusal := _line_refusal(value):
        return refusal
    parts = value.split("/")
    if not value.startswith("/") or "" in parts[1:] or {".", ".."} & set(parts):
        return f"{value!r} must be an absolute path without '.', '..' and doubled or trailing '/'"
    if any(character.isspace() for character in value):
        return f"{value!r} must not contain blanks"
    if any(is_too_long(part) for part in parts):
        return TOO_LONG
    for root in _FORBIDDEN_ROOTS:
        if value == root or value.startswith(root + "/"):
            return f"{value!r} is no place for a package; {root} belongs to the machine"
    for root in _MERGED_ROOTS:
        if value == root or value.startswith(root + "/"):
            return f"{value!r} is an alias on merged systems; write '/usr{value}'"
    return None


def _unit_text_refusal(value: str) -> str | None:
    if refusal := _line_refusal(value):
        return refusal
    if value.rstrip().endswith("\\"):
        return "must not end in a backslash, which makes systemd read the next line as part of it"
    for percent in _PERCENT.finditer(value):
        if percent["unknown"] is not None:
            sentence = "which means nothing to systemd; a percent sign is '%%'"
            return f"holds {percent[0]!r}, {sentence}"
    return None


def command_refusal(value: str) -> str | None:
    """Why this is no command line of a unit, None where it is one."""
    if not value.startswith("/") or CONTROL_CHARACTER.search(value):
        return f"{value!r} must be one line that begins with the program's absolute path"
    if not _QUOTED.fullmatch(value):
        return f"{value!r} has a quote that is not closed, which systemd refuses"
    return _unit_text_refusal(value)


def _one_command_refusal(value: str) -> str | None:
    if ";" in _WORD.findall(value):
        sentence = "is a second command to systemd, which starts one"
        return f"{value!r} has a ';' by itself; what follows {sentence}; write '\\;' to pass it on"
    return command_refusal(value)


def _address_refusal(value: str) -> str | None:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return f"{value!r} is no IP address"
    # A zone names a network card of one node; the address is for whoever asks from outside.
    return f"{value!r} must be without a zone" if "%" in value else None


def _expectation_refusal(value: str) -> str | None:
    try:
        with warnings.catch_warnings():
            # Python would tell the user about its own plans for the syntax.
            warnings.simplefilter("ignore")
            re.compile(value)
    except re.error as error:
        return f"{value!r} is no regular expression of Python: {error}"
    except (OverflowError, RecursionError):
        return "is a regular expression that is too large"
    return None


def seconds(duration: str) -> int:
    """What a Duration is in seconds."""
    number = duration.rstrip(string.ascii_lowercase)
    return int(number) * _SECONDS[duration[len(number) :]]


def maintainer_refusal(value: str) -> str | None:
    """Why this is no maintainer, None where it is one; for what comes from the environment."""
    return _MAINTAINER.refusal(value)


Line = Annotated[str, Text(_line_refusal, {"minLength": 1})]
Paragraphs = Annotated[str, Text(_paragraphs_refusal, {})]
SourcePath = Annotated[str, Text(source_refusal, {"minLength": 1})]
AbsolutePath = Annotated[str, Text(_path_refusal, {"pattern": "^/"})]
UnitText = Annotated[str, Text(_unit_text_refusal, {"minLength": 1})]
CommandLine = Annotated[str, Text(command_refusal, {"pattern": "^/"})]
OneCommand = Annotated[str, Text(_one_command_refusal, {"pattern": "^/"})]
UserName = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_-]{0,30}", "is not a user's name")]
PackageName = Annotated[
    str,
    matching(
        PACKAGE_PATTERN,
        "must be two or more of lower-case letters, digits, '+', '-' and '.', "
        "and begin with a letter or digit",
    ),
]
Version = Annotated[
    str,
    matching(
        VERSION_PATTERN,
        "is not a Debian version; it begins with a digit and holds letters, digits, "
        "'.', '+', '~' and, before a revision, '-'",
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
        "must be one directory name of letters, digits, '_' and '-', and neither 'heartbeat' "
        "nor 'pacemaker', which belong to others",
    ),
]
Relation = Annotated[
    str,
    matching(
        ALTERNATIVES_PATTERN,
        "is not a relation; write one as 'name', 'name (>= 1.2)' or 'name | other'",
    ),
]
# dpkg takes no alternatives in these, and of what is provided no range of versions.
SingleRelation = Annotated[
    str,
    matching(
        SINGLE_PATTERN,
        "is not a relation to one package; write one as 'name' or 'name (<< 1.2)', each by itself",
    ),
]
Provision = Annotated[
    str,
    matching(
        PROVISION_PATTERN,
        "is nothing to provide; write it as 'name' or 'name (= 1.2)', each by itself",
    ),
]
WebAddress = Annotated[
    str, matching(r"https?://[^\s<>]+", "must be an address that begins with https:// or http://")
]
FileMode = Annotated[
    str, matching(r"0?[0-7]{3}|[0-7]{4}", 'must be octal permissions as text, such as "0644"')
]
Capability = Annotated[
    str, matching(r"CAP_[A-Z_]+", "must be a capability's name, such as CAP_NET_BIND_SERVICE")
]
EnvironmentName = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "is not a variable's name")]
Architecture = Annotated[str, one_of("a Debian architecture", ARCHITECTURES)]
Section = Annotated[str, one_of("an archive section", SECTIONS)]
AddressFamily = Literal["AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"]
Duration = Annotated[
    str,
    matching(
        rf"[0-9]{{1,9}}(?:{'|'.join(filter(None, _SECONDS))})?",
        "is not a duration; write one as '10s', '2min', '1h' or, in seconds, '10'",
    ),
]
Score = Annotated[
    str,
    matching(
        r"[+-]?(?:INFINITY|[0-9]{1,7})",
        "is not a score; it is a whole number, INFINITY or -INFINITY",
    ),
]
# The CIB has it as an XML id, and the agent gives it to systemd as an instance.
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
# JSON schema's own format for such a thing is ECMAScript's, which has no (?P<node>…).
Expectation = Annotated[str, Text(_expectation_refusal, {})]
