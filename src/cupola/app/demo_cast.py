"""What the demo plays with: real digits, the jobs made of them, and people whose errors are honest and differ."""

from __future__ import annotations

import random
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image

from cupola.kernel.errors import Kind, Problem

PEOPLE = 36
DIGIT_GUIDELINES = {
    "en": "# Which digit is it?\n\nLook at the whole stroke. A **1** may have a foot, a **7** a bar. "
    "If you cannot tell, give the page back: it never counts against you.",
    "zh": "# 这是哪个数字？\n\n看清整个笔画。**1** 可能有底线，**7** 可能有横杠。实在看不清，就退回本页，不会影响你。",
}
PARITY_GUIDELINES = {
    "en": "# Even or odd?\n\n0, 2, 4, 6 and 8 are **even**; 1, 3, 5, 7 and 9 are **odd**.",
    "zh": "# 偶数还是奇数？\n\n0、2、4、6、8 是**偶数**（even）；1、3、5、7、9 是**奇数**（odd）。",
}
BOX_GUIDELINES = {
    "en": "# Box every digit\n\nDraw a tight box around each digit. A mark that is no digit is a **smudge**.",
    "zh": "# 框出每个数字\n\n为每个数字画一个贴合的框。不是数字的痕迹标为 **smudge**。",
}
# what a hurried eye mistakes a digit for
CONFUSED = {
    0: (8, 6),
    1: (7, 4),
    2: (7, 3),
    3: (8, 5),
    4: (9, 1),
    5: (6, 3),
    6: (5, 0),
    7: (1, 9),
    8: (3, 9),
    9: (4, 7),
}


@dataclass(frozen=True, slots=True)
class Digits:
    """Handwritten digits of scikit-learn as PNGs by reference, with their known truth."""

    images: dict[str, bytes]
    truth: dict[str, int]
    hard: dict[str, float]


def digits() -> Digits:
    """1,797 real scans of handwritten digits, 8 x 8, shown at 128 x 128."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise Problem(
            Kind.UNSUPPORTED,
            "demo-data-missing",
            "The demo's images come with scikit-learn, which is not installed.",
            remedy="Install it with: pip install 'cupola[demo]'",
        ) from error
    found: Any = load_digits()  # a Bunch, whose fields are not typed
    rng = random.Random(1)
    images, truth, hard = {}, {}, {}
    for n, (pixels, target) in enumerate(zip(found.images, found.target, strict=True)):
        ref = f"digit-{n:04d}.png"
        picture = Image.fromarray((255 - pixels / 16.0 * 255).astype("uint8")).resize(
            (128, 128), Image.Resampling.BICUBIC
        )
        buffer = BytesIO()
        picture.save(buffer, "PNG")
        images[ref], truth[ref] = buffer.getvalue(), int(target)
        hard[ref] = rng.betavariate(1.2, 4.0)  # some are hard for everybody: errors are not independent
    return Digits(images, truth, hard)


@dataclass(frozen=True, slots=True)
class Job:
    """What a requester brings: images by reference, an ontology, guidelines, gold labels by reference."""

    name: str
    images: dict[str, bytes]
    spec: dict[str, Any]
    guidelines: dict[str, str]
    gold: dict[str, dict[str, Any]]
    max_judgements: int = 5
    page_size: int = 20


def boxes_job(digits: Digits, rng: random.Random) -> Job:
    """Sheets with several digits each, to draw boxes on."""
    refs = sorted(digits.images)
    images: dict[str, bytes] = {}
    for n in range(24):
        sheet = Image.new("RGB", (960, 640), "white")
        for row in range(2):
            for column in range(3):
                if rng.random() < 0.75:
                    one = Image.open(BytesIO(digits.images[rng.choice(refs)]))
                    side = rng.randrange(110, 200)
                    x, y = column * 320 + rng.randrange(100), row * 320 + rng.randrange(100)
                    sheet.paste(one.resize((side, side)), (x, y))
        buffer = BytesIO()
        sheet.save(buffer, "PNG")
        images[f"sheet-{n:02d}.png"] = buffer.getvalue()
    spec = {
        "kind": "objects",
        "classes": [{"name": "digit", "geometry": "box"}, {"name": "smudge", "geometry": "box"}],
        "attributes": [{"name": "legible", "type": "bool", "classes": ["digit"]}],
    }
    return Job("Try it: box the digits", images, spec, BOX_GUIDELINES, {}, max_judgements=3, page_size=6)


@dataclass(frozen=True, slots=True)
class Character:
    """How a program behaves. accuracy: share right on an item of middling difficulty; blind: does not look."""

    name: str
    accuracy: float
    blind: bool = False

    def say(self, truth: int, hard: float, rng: random.Random) -> int:
        if self.blind:
            return rng.randrange(10)
        wrong = (1.0 - self.accuracy) * (0.25 + 3.2 * hard)
        if rng.random() >= wrong:
            return truth
        return rng.choice(CONFUSED[truth]) if rng.random() < 0.6 else rng.choice([d for d in range(10) if d != truth])


def cast(rng: random.Random) -> list[Character]:
    """A few dozen contributors: most careful, some careless, one spammer."""
    people = [Character(f"careful {n + 1}", rng.uniform(0.95, 0.99)) for n in range(PEOPLE - 9)]
    people += [Character(f"careless {n + 1}", rng.uniform(0.72, 0.88)) for n in range(8)]
    people.append(Character("spammer", 0.1, blind=True))
    rng.shuffle(people)
    return people
