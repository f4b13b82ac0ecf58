"""Lines that go by what they look like: those of C4 (C. Raffel et al., 2020, section 2.2) and of RefinedWeb
(G. Penedo et al., 2023, appendix G.2)."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from cupola.corpus.edits.base import Edited, cut, lines

_SINGLES = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
_WORD = re.compile(f"[{_SINGLES}]|[^\\W{_SINGLES}]+")
_ENDED = re.compile("[.!?…。！？｡؟।॥][”\"'’」』）)\\]》〉】]*$")
_COUNTER = re.compile(
    r"^\d[\d,.kKmM ]*\s*(?:likes?|shares?|comments?|retweets?|views?|replies|followers?|次|条评论|人赞)$"
)
NOISE_LINE_WORDS = 10


class Lines(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="edit", tag="lines"):
    """A line goes that does not end in a mark (ended), has fewer words than `least_words` (characters, in scripts
    without blanks), holds one of `without` in any case, or (noise) is a short line of capitals, of numbers, or a
    counter. Empty lines stay."""

    ended: bool = False
    least_words: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    without: tuple[str, ...] = ()
    noise: bool = False

    def apply(self, text: str) -> Edited | None:
        unwanted = tuple(one.lower() for one in self.without)
        return cut(text, ((start, end) for start, end, line in lines(text) if line and self._goes(line, unwanted)))

    def _goes(self, line: str, unwanted: tuple[str, ...]) -> bool:
        if self.ended and not _ENDED.search(line):
            return True
        if self.least_words and sum(1 for _ in _WORD.finditer(line)) < self.least_words:
            return True
        if unwanted and any(one in line.lower() for one in unwanted):
            return True
        return self.noise and _noise(line)


def _noise(line: str) -> bool:
    if sum(1 for _ in _WORD.finditer(line)) > NOISE_LINE_WORDS:
        return False
    letters = [x for x in line if x.isalpha()]
    if not letters:
        return any(x.isdigit() for x in line)
    return 2 * sum(x.isupper() for x in letters) > len(letters) or bool(_COUNTER.match(line.lower()))
