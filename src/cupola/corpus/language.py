"""The script and the language of each document, from its profile: letters tell the script, function words the language.

A script that one language writes decides by itself; kana make Japanese of ideographs. Between languages of one script
the one whose function words (`words.yaml`) are the largest share of the words is taken, where they are enough to tell.
No weights: a text without function words (a list of names, code) has no language here, and a language without a list is
taken for none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus.characters import SCRIPTS
from cupola.corpus.lookup import word_lists
from cupola.corpus.rules import Signals
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")

F64 = npt.NDArray[np.float64]
UNKNOWN = "und"  # ISO 639-2, undetermined
_ALONE = {"greek": "el", "hebrew": "he", "bengali": "bn", "tamil": "ta", "thai": "th", "hangul": "ko",
          "armenian": "hy", "georgian": "ka"}  # fmt: skip
_BY_LISTS = {"cyrillic": ("ru", "uk", "bg"), "arabic": ("ar", "fa", "ur"), "devanagari": ("hi",)}
LEAST_SHARE = 0.12  # of the words; a text of the language has .25 to .5, one of a neighbour .05 to .1
LEAST_KANA = 0.05  # of the letters


def languages(profile: Any) -> Any:
    """An Arrow table with a row for each document: script string (null without letters), script_share float64 of the
    letters, language string (ISO 639-1, "und" where nothing tells), language_share float64: of the words that are
    function words of it, of the letters for a script of one language."""
    signals = Signals(profile)
    letters = np.stack([signals.column(f"script_{name}") for name in SCRIPTS], 1)
    total = letters.sum(1)
    kana = letters[:, SCRIPTS.index("hiragana")] + letters[:, SCRIPTS.index("katakana")]
    ideographic = kana + letters[:, SCRIPTS.index("han")]
    merged = letters.copy()
    merged[:, SCRIPTS.index("han")] = ideographic
    merged[:, [SCRIPTS.index("hiragana"), SCRIPTS.index("katakana")]] = 0
    best = merged.argmax(1)
    share = merged[np.arange(len(best)), best] / np.maximum(total, 1)
    of_script = np.array(SCRIPTS, object)[best]
    told, told_share = np.full(len(best), UNKNOWN, object), np.zeros(len(best))
    for script, code in _ALONE.items():
        told[of_script == script], told_share[of_script == script] = code, share[of_script == script]
    han = of_script == "han"
    told[han] = np.where(kana[han] >= LEAST_KANA * ideographic[han], "ja", "zh")
    told_share[han] = share[han]
    words = np.maximum(signals.column("words"), 1)
    others = {code for codes in _BY_LISTS.values() for code in codes}
    latin = tuple(code for code in listed() if code not in others)
    for script, codes in (*_BY_LISTS.items(), ("latin", latin)):
        here = np.flatnonzero(of_script == script)
        counts = np.stack([signals.column(f"list_language_{code}")[here] for code in codes], 1)
        which = counts.argmax(1)
        enough = counts[np.arange(len(here)), which] / words[here]
        told[here] = np.where(enough >= LEAST_SHARE, np.array(codes, object)[which], UNKNOWN)
        told_share[here] = enough
    none = total == 0
    told[none], told_share[none] = UNKNOWN, 0.0
    return pa.table({
        "script": pa.array(of_script, pa.string(), mask=none),
        "script_share": pa.array(share),
        "language": pa.array(told, pa.string()),
        "language_share": pa.array(told_share),
    })  # fmt: skip


def listed() -> tuple[str, ...]:
    """The languages that `words.yaml` knows by their function words."""
    return tuple(name.removeprefix("language_") for name in word_lists().names if name.startswith("language_"))
