"""What tells of a person or opens a door, by its form: found where a checksum or a shape proves it, and replaced.

Cards by Luhn (ISO/IEC 7812-1), IBANs by mod 97 (ISO 13616) and their country's length, identity numbers of China by
GB 11643-1999, social security numbers of the United States by the ranges that were ever given. Names and addresses need
a model or people, and are not looked for here.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cupola.corpus.rules import Signals

Kind = Literal["email", "key", "iban", "cn_id", "card", "ip", "us_ssn", "phone"]


@dataclass(frozen=True)
class Finding:
    """text[start:end], in code points; `value` is the text without its separators and in one case."""

    kind: Kind
    start: int
    end: int
    value: str


def may_hold(profile: Any) -> npt.NDArray[np.bool_]:
    """bool[n]: whether `find` can find anything in a document. A superset, told from the profile alone."""
    signals = Signals(profile)
    found = np.zeros(len(signals), np.bool_)
    for name in ("at_signs", "digit_runs", "long_runs", "list_secret"):
        found |= signals.column(name) > 0
    return found


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    total = 0
    for n, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + n % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# Lengths of ISO 13616's registry.
_IBAN_LENGTHS = {
    15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH CR HR LI LV",
    22: "BG BH DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST",
    26: "IS TR", 27: "FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU",
    31: "MT SC", 32: "LC",
}  # fmt: skip
_LENGTH_OF = {country: length for length, countries in _IBAN_LENGTHS.items() for country in countries.split()}


def iban(value: str) -> bool:
    """Whether an IBAN without blanks, in capitals, has its country's length and check digits."""
    if len(value) != _LENGTH_OF.get(value[:2]):
        return False
    return int("".join(str(int(x, 36)) for x in value[4:] + value[:4])) % 97 == 1


def cn_id(value: str) -> bool:
    """Whether 18 characters are an identity number: a day that was, and the check character of MOD 11-2."""
    try:
        born = date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        return False
    total = sum(int(x) * pow(2, 17 - n, 11) for n, x in enumerate(value[:17]))
    return born.year >= 1880 and "10X98765432"[total % 11] == value[17]


_ISSUERS = ("2", "3", "4", "5", "6", "1800")


def _card(value: str) -> bool:
    # a number of one digit alone passes Luhn and is nobody's; the first digits are those of issuers
    return 13 <= len(value) <= 19 and value.startswith(_ISSUERS) and len(set(value)) > 1 and luhn(value)


def _ip(value: str) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    if address.version == 4 and (value.startswith("0.") or max(address.packed) < 10):
        return False  # the number of a version, of a section
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def _ssn(value: str) -> bool:
    return value[:3] not in ("000", "666") and value[0] != "9" and value[3:5] != "00" and value[5:] != "0000"


def _phone(value: str) -> bool:
    return 8 <= len(value) <= 15 and len(set(value)) > 2


def _varied(value: str) -> bool:
    # words joined by hyphens are no key
    return any(x.isdigit() for x in value) and any(x.isalpha() for x in value)


_SEPARATORS = re.compile(r"[^0-9A-Za-z]")
_BEFORE, _AFTER = r"(?<![\w.+-])", r"(?![\w-]|[.,]\d)"
_TELLS = r"tel|phone|telephone|call(?: me)?(?: on| at)?|fax|mobile|cell|number is|answering at|电话|手机"


@dataclass(frozen=True)
class _Form:
    """The group `v` of the pattern, or all of it, is a finding where `proves` says so of its value; a text that has
    none of `needs` in it is not searched."""

    kind: Kind
    pattern: re.Pattern[str]
    proves: Callable[[str], bool]
    needs: tuple[str, ...] = ()


def _form(kind: Kind, pattern: str, proves: Callable[[str], bool] = bool, *needs: str) -> _Form:
    return _Form(kind, re.compile(pattern, re.ASCII), proves, needs)


_FORMS = (
    _form("key", r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,8000}?-----END [A-Z ]{0,30}PRIVATE KEY-----", bool,
          "PRIVATE KEY-----"),
    _form("key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", _varied, "AKIA", "ASIA"),
    _form("key", r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b", _varied, "gh"),
    _form("key", r"\bxox[abprs]-[A-Za-z0-9-]{10,200}", _varied, "xox"),
    _form("key", r"\bAIza[A-Za-z0-9_-]{35}", _varied, "AIza"),
    _form("key", r"\bsk[-_](?:live_|test_|proj-)?[A-Za-z0-9]{20,200}\b", _varied, "sk-", "sk_"),
    _form("key", r"\beyJ[\w-]{10,2000}\.[\w-]{10,4000}\.[\w-]{10,2000}", _varied, "eyJ"),
    _form("key", r"[Bb]earer (?P<v>[A-Za-z0-9_\-.=]{20,2000})", _varied, "earer "),
    _form("key", r"\b[a-z][a-z0-9+]{1,20}://[^\s:/@'\"]{1,100}:[^\s/@'\"]{3,200}@[\w.:/%?&=~+-]{0,300}[\w/]", bool, "://"),
    _form("key", r"(?i:password|passwd|pwd|secret|token|api_?key)[\"']?\s{0,2}[:=]\s{0,2}"
          r"(?:\"(?P<v>[^\s\"]{8,200})\"|'(?P<w>[^\s']{8,200})')", _varied),
    _form("email", r"(?<![\w.+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@"
          r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![\w-])",
          lambda value: ".." not in value, "@"),
    _form("iban", rf"{_BEFORE}[A-Z]{{2}}\d{{2}}(?:[ -]?[A-Z0-9]{{4}}){{2,7}}(?:[ -]?[A-Z0-9]{{1,3}})?(?!\w)", iban),
    _form("cn_id", r"(?<![0-9A-Za-z])[1-9]\d{16}[\dXx](?![0-9A-Za-z])", cn_id),
    _form("card", rf"{_BEFORE}(?<!\d )\d(?:[ -]?\d){{12,18}}{_AFTER}", _card),
    _form("ip", r"(?<![\w.:])\d{1,3}(?:\.\d{1,3}){3}(?![\w:]|\.\d)", _ip),
    _form("ip", r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){1,7}(?![\w:])", _ip, ":"),
    _form("us_ssn", rf"{_BEFORE}\d{{3}}-\d{{2}}-\d{{4}}{_AFTER}", _ssn, "-"),
    _form("phone", rf"{_BEFORE}(?:\+|00)[1-9]\d{{0,2}}[ .-]?(?:\(0?\d{{1,4}}\)[ .-]?)?"
          rf"\d{{1,5}}(?:[ .-]?\d{{2,5}}){{1,5}}{_AFTER}", _phone),
    _form("phone", rf"{_BEFORE}(?:1[ .-])?\(\d{{3}}\) ?\d{{3}}[-. ]\d{{4}}(?![\w-])", _phone, "("),
    _form("phone", rf"{_BEFORE}(?:1[ .-])?\d{{3}}([-. ])\d{{3}}\1\d{{4}}{_AFTER}", _phone),
    _form("phone", r"(?<![0-9A-Za-z.+-])(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![0-9A-Za-z-]|[.,]\d)", _phone),
    _form("phone", rf"(?i:{_TELLS})[.:：]? ?(?P<v>\(?\d{{2,5}}\)?(?:[ -]\d{{2,8}}){{1,4}}){_AFTER}", _phone),
)  # fmt: skip


def find(text: str) -> list[Finding]:
    """What the forms find, by place; of two that overlap the one whose form says more."""
    out: list[Finding] = []
    for form in _FORMS:
        if form.needs and not any(needed in text for needed in form.needs):
            continue
        for match in form.pattern.finditer(text):
            groups = match.groupdict()
            group = next((name for name in ("v", "w") if groups.get(name) is not None), 0)
            start, end = match.span(group)
            value = _value(form.kind, match[group])
            if form.proves(value) and not any(start < other.end and other.start < end for other in out):
                out.append(Finding(form.kind, start, end, value))
    return sorted(out, key=lambda finding: finding.start)


def _value(kind: Kind, text: str) -> str:
    if kind in ("ip", "key"):
        return text
    return text.lower() if kind == "email" else _SEPARATORS.sub("", text).upper()


def replaced(text: str, findings: list[Finding], key: bytes | None = None) -> str:
    """The text with each finding masked, `<EMAIL>`, or, with a key, under a pseudonym that is the same wherever the
    same value stands, `<EMAIL_5f0c…>`: HMAC-SHA256 of kind and value, 48 bits of it. Raises ValueError for a key of
    fewer than 16 bytes, which could be guessed."""
    if key is not None and len(key) < 16:
        raise ValueError("a key of pseudonyms has at least 16 bytes")
    parts, at = [], 0
    for finding in findings:
        name = finding.kind.upper()
        if key is not None:
            told = hmac.new(key, f"{finding.kind}:{finding.value}".encode(), hashlib.sha256)
            name += f"_{told.hexdigest()[:12]}"
        parts += [text[at : finding.start], f"<{name}>"]
        at = finding.end
    return "".join([*parts, text[at:]])
