"""What tells of a person by its form: proved by its check digits, replaced, and never missed by the profile."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.corpus.pii import cn_id, find, iban, luhn, may_hold, replaced
from cupola.corpus.profile import profile

FOUND = [
    ("card", "4111 1111 1111 1111"), ("card", "5500-0000-0000-0004"), ("card", "340000000000009"),
    ("card", "6222612378565335779"), ("card", "180001894718246"),
    ("iban", "GB82 WEST 1234 5698 7654 32"), ("iban", "DE89370400440532013000"), ("iban", "NO9386011117947"),
    ("cn_id", "11010519491231002X"), ("cn_id", "440106198109043744"),
    ("email", "Rosa.Diaz+x@mail.example.org"), ("ip", "36.160.14.148"), ("ip", "2001:db8:85a3::8a2e:370:7334"),
    ("us_ssn", "494-33-0748"), ("phone", "(602)272-9781"), ("phone", "541-714-1388"), ("phone", "+86 176 6377 9181"),
    ("phone", "176-5024-3377"), ("phone", "17697432664"), ("phone", "+41 44 668 18 00"), ("phone", "001-253-366-9781"),
    ("key", "AKIAXCCZQH6TE7DW4KNY"), ("key", "ghp_" + "a1B2" * 9), ("key", "postgres://app:JeIEXaDALV@db4.example.com:5432/prod"),
    ("key", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"),
]  # fmt: skip
NOT_FOUND = [
    "4111 1111 1111 1112", "0000000000000000", "GB82 WEST 1234 5698 7654 33", "DE8937040044053201300",
    "110105194913310022", "110105194912310021", "me @ home", "a@b", "v1.10.2.3.4", "1.2.3.4", "256.1.1.1", "127.0.0.1",
    "std::vector<int>",
    "000-33-0748", "494-00-0748", "2004-12-05", "12:30:45", "3.14159265358979", "ISBN 0-306-40615-2", "1,234,567,890",
    "self-contained-and-well-known-thing", "password: please", "x = y - 1", "1803-1882", "$1,000,000.00",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), FOUND)
@pytest.mark.parametrize("around", ["{}", "Write to {}, please.", "请联系{}谢谢", "({})", "a\n{}\nb"])
def test_each_form_is_found_in_its_place(kind: str, value: str, around: str) -> None:
    if around.startswith("请") and value[0] in "-":
        pytest.skip("a block of a key has lines of its own")
    text = around.format(value)
    (found,) = find(text)
    assert (found.kind, text[found.start : found.end]) == (kind, value)
    assert may_hold(profile(pa.array([text])))[0]


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_only_looks_like_it_is_left(text: str) -> None:
    assert find(f"see {text} there") == []


def test_words_before_a_number_make_it_a_telephone_and_before_a_string_a_secret() -> None:
    assert [f.kind for f in find("tel: 71-33-52-22, mobile 0341 8387176, page 71-33-52-22")] == ["phone", "phone"]
    assert [f.value for f in find("password = 'OmBat2YR%iDRsB'; name = 'OmBat2YR%iDRsB'")] == ["OmBat2YR%iDRsB"]
    assert [f.value for f in find('{"api_key": "a1!it\'s-so"}')] == ["a1!it's-so"]


@given(st.text("0123456789", min_size=12, max_size=18))
def test_one_check_digit_in_ten_is_right_and_a_changed_digit_is_noticed(digits: str) -> None:
    right = [x for x in "0123456789" if luhn(digits + x)]
    assert len(right) == 1
    number = digits + right[0]
    for n in range(len(number)):
        assert not luhn(number[:n] + str((int(number[n]) + 1) % 10) + number[n + 1 :])


@given(st.text("0123456789", min_size=18, max_size=18))
def test_the_check_digits_of_an_iban_are_those_of_mod_97(account: str) -> None:
    check = 98 - int(account + "131400") % 97  # D = 13, E = 14
    assert iban(f"DE{check:02d}{account}")
    assert not iban(f"DE{check % 97 + 2 if check < 96 else 2:02d}{account}") or check % 97 + 2 == check
    changed = account[:-1] + str((int(account[-1]) + 1) % 10)
    assert not iban(f"DE{check:02d}{changed}")


def test_an_identity_number_needs_a_day_that_was() -> None:
    assert cn_id("11010519491231002X")
    assert not cn_id("11010519490231002X")
    assert [x for x in "0123456789X" if cn_id("44010619810904374" + x)] == ["4"]


pieces = st.one_of(st.sampled_from([value for _, value in FOUND]), st.sampled_from(NOT_FOUND),
                   st.text("ab 1290.:-+@/=_#\n中", max_size=12))  # fmt: skip


@given(st.lists(st.tuples(pieces, st.sampled_from([" ", "\n", ", ", "", "，"])), max_size=6))
@settings(max_examples=300)
def test_the_profile_never_misses_what_the_forms_find_and_replacing_leaves_nothing(
    parts: list[tuple[str, str]],
) -> None:
    text = "".join(a + b for a, b in parts)
    found = find(text)
    if found:
        assert may_hold(profile(pa.array([text])))[0]
    assert all(a.end <= b.start for a, b in pairwise(found))
    outside = "".join(
        text[a:b] for a, b in zip([0, *(f.end for f in found)], [*(f.start for f in found), len(text)], strict=True)
    )
    masked = replaced(text, found)
    assert len(masked) == len(outside) + sum(len(f.kind) + 2 for f in found)


def test_a_pseudonym_is_the_same_for_the_same_value_and_another_under_another_key() -> None:
    text = "Rosa@example.org, rosa@EXAMPLE.org, ben@example.org; 4111 1111 1111 1111 or 4111111111111111"
    found = find(text)
    masked = replaced(text, found)
    assert masked == "<EMAIL>, <EMAIL>, <EMAIL>; <CARD> or <CARD>"
    names = replaced(text, found, b"k" * 16).replace("; ", ", ").replace(" or ", ", ").split(", ")
    assert names[0] == names[1] != names[2]
    assert names[3] == names[4]
    assert all(
        a != b for a, b in zip(names, replaced(text, found, b"l" * 16).replace("; ", ", ").split(", "), strict=False)
    )
    assert find(replaced(text, found, b"k" * 16)) == []
    with pytest.raises(ValueError, match="16 bytes"):
        replaced(text, found, b"short")
