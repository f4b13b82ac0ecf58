"""The certificate as a page for the customer who reads it: the claim, how it was earned, and where it ends."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Literal

from cupola.quality.certify.document import down
from cupola.quality.picture import interval

Language = Literal["en", "zh"]

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Certificate of accuracy",
        "reached": "The target is proven.",
        "missed": "The target is not proven.",
        "claim": "At least {accuracy} of the labels are right, with {confidence} confidence.",
        "not_yet": "The sequential audit has not yet shown an accuracy of {target}.",
        "possible": "what the audit leaves possible",
        "target": "target",
        "observed": "right in the sample",
        "plan": "How it was found out",
        "plan_text": "{n} of {items} items were drawn by the public seed below, after the labels had been frozen. "
        "Auditors saw neither the label nor anyone's confidence. {errors} of their answers differed from the label.",
        "census_text": "Beforehand, experts examined {n} doubtful items one by one; {errors} of these labels are wrong "
        "as released. They were not part of the draw.",
        "parts": "Of {items} audited labels the parts were compared one by one: {released} had been released, "
        "{wrong} of them have no counterpart in the auditors' labels, and {missing} of the auditors' are missing. "
        "These are counts of what was seen; the claim is about whole items.",
        "fixed": "fixed plan: the number of items was decided before the draw",
        "sequential": "sequential plan: the audit may be looked at after every item",
        "limits": "Where the claim ends",
        "limit_1": "It is about this frozen release as a whole, not about any single label or class.",
        "limit_2": "Right means what the auditors settled on. "
        "They judged {double} items twice and differed on {differ}.",
        "limit_3": "In {rate} of audits of a release just at the limit, chance alone earns such a certificate.",
        "again": "This was audit {attempt} of these rows. So that the claim holds over all of them together, its bound "
        "was computed with {bound} confidence.",
        "alone": "No audit of these rows came before; the bound was computed with {bound} confidence, so that the "
        "claim would hold over later ones too.",
        "before": "{name}: {drawn} items drawn, {shared} rows in common with this release; {came}",
        "came_certified": "the target was proven",
        "came_failed": "the target was not proven",
        "came_open": "not brought to an end",
        "undecidable": "{n} drawn items could not be decided by anyone and are left apart. Counted as wrong, "
        "the accuracy shown would be at least {worst}.",
        "facts": "To compute it again",
        "definition": "An error is",
        "rule": "Plan",
        "seed": "Seed",
        "draw": "Draw",
        "labels": "SHA-256 of the labels",
        "ids": "SHA-256 of the ids",
        "key": "Public key",
        "unsigned": "not signed",
    },
    "zh": {
        "title": "准确率证书",
        "reached": "已证明达到目标。",
        "missed": "未能证明达到目标。",
        "claim": "在 {confidence} 的置信水平下，至少 {accuracy} 的标签是正确的。",
        "not_yet": "序贯抽检尚未证明准确率达到 {target}。",
        "possible": "抽检结果未能排除的范围",
        "target": "目标",
        "observed": "样本中正确的比例",
        "plan": "结论的由来",
        "plan_text": "标签冻结之后，用下列公开种子从 {items} 个条目中抽取了 {n} 个。审核员看不到任何人的标签和置信度。"
        "他们的答案中有 {errors} 个与标签不同。",
        "census_text": "冻结之前，专家逐一检查了 {n} 个存疑条目；按发布的标签计，其中 {errors} 个有误。"
        "这些条目不参加抽样。",
        "parts": "有 {items} 个经审核的标签逐个部分作了比较：发布了 {released} 个部分，"
        "其中 {wrong} 个在审核员的标签中没有对应，另有 {missing} 个审核员标出的部分缺失。"
        "这些是所见的计数；结论针对整个条目。",
        "fixed": "固定方案：抽样数量在抽取之前确定",
        "sequential": "序贯方案：每审核一个条目后都可以查看结果",
        "limits": "结论的适用范围",
        "limit_1": "结论针对这份冻结的发布整体，不针对任何单个标签或类别。",
        "limit_2": "“正确”以审核员的裁定为准。其中 {double} 个条目由两人审核，{differ} 个意见不一。",
        "limit_3": "对一份恰好处在界限上的发布，有 {rate} 的抽检会仅凭运气得到这样的证书。",
        "again": "这是对这些行的第 {attempt} 次抽检。"
        "为使结论在所有各次抽检上合起来都成立，界限按 {bound} 的置信水平计算。",
        "alone": "此前没有对这些行做过抽检；界限按 {bound} 的置信水平计算，使结论在以后再次抽检时仍然成立。",
        "before": "{name}：抽取 {drawn} 个条目，与本次发布有 {shared} 行相同；{came}",
        "came_certified": "已证明达到目标",
        "came_failed": "未能证明达到目标",
        "came_open": "未进行到底",
        "undecidable": "有 {n} 个抽中的条目无人能够裁定，单独列出。若全部按错误计，可证明的准确率至少为 {worst}。",
        "facts": "复算所需",
        "definition": "错误的定义",
        "rule": "方案",
        "seed": "种子",
        "draw": "抽样方法",
        "labels": "标签的 SHA-256",
        "ids": "条目编号的 SHA-256",
        "key": "公钥",
        "unsigned": "未签名",
    },
}

STYLE = (
    "body{font:16px/1.55 system-ui,sans-serif;color:#2b2f36;background:#fff;max-width:46rem;margin:2.5rem auto;"
    "padding:0 1rem}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}.claim{font-size:1.25rem;font-weight:600}"
    "dt{font-weight:600}dd{margin:0 0 .6rem;overflow-wrap:anywhere;font-family:ui-monospace,monospace;font-size:.85rem}"
    "svg{width:100%;height:auto}@media(prefers-color-scheme:dark){body{background:#16181c;color:#e3e6ea}"
    "svg{background:#fff;border-radius:6px}}"
)


def page(document: Mapping[str, Any], language: Language = "en") -> str:
    """A self-contained HTML page of a certificate document (see `document.build`). All text in it is escaped."""
    words = WORDS[language]
    plan, result, release = document["plan"], document["result"], document["release"]
    accuracy = float(result["accuracy_lower"])
    target = 1.0 - float(plan["limit"])
    decided = int(result["audited"]) - int(result["undecidable"])
    observed = 1.0 - int(result["errors"]) / decided if decided else None
    confidence = f"{100 * float(plan['confidence']):g}%"
    claim = words["claim"].format(accuracy=f"{down(accuracy)}%", confidence=confidence)
    if plan["kind"] == "sequential" and not result["reached"]:
        claim = words["not_yet"].format(target=f"{target:.2%}")
    picture = interval(
        accuracy, target, observed, words["title"], (words["possible"], words["target"], words["observed"])
    )
    census = document.get("census") or {}
    told = [
        words["plan_text"].format(n=result["audited"], items=release["items"], errors=result["errors"]),
        words[str(plan["kind"])] + ("." if language == "en" else "。"),
    ]
    if census:
        wrong = sum(outcome == "wrong" for outcome in census.values())
        told.append(words["census_text"].format(n=len(census), errors=wrong))
    parts = (document.get("evidence") or {}).get("parts")
    if parts:
        told.append(words["parts"].format(**{name: parts[name] for name in ("items", "released", "wrong", "missing")}))
    limits = [
        words["limit_1"],
        words["limit_2"].format(double=result["double_judged"], differ=result["disagreements"]),
        words["limit_3"].format(rate=f"{100 * (1 - float(plan['confidence'])):g}%"),
    ]
    earlier = document.get("earlier")
    if earlier is not None:
        bound = f"{100 * float(plan['bound_confidence']):g}%"
        told.append(words["again" if plan["attempt"] > 1 else "alone"].format(attempt=plan["attempt"], bound=bound))
        told += [
            words["before"].format(
                name=one["name"], drawn=one["drawn"], shared=one["shared_rows"], came=words[f"came_{one['came']}"]
            )
            + ("." if language == "en" else "。")
            for one in earlier
        ]
    if result["undecidable"]:
        worst = f"{down(1 - float(result['worst_case_upper']))}%"
        limits.append(words["undecidable"].format(n=result["undecidable"], worst=worst))
    key = (document.get("signature") or {}).get("public_key", words["unsigned"])
    facts = (
        ("definition", plan["definition"]),
        ("rule", f"n = {plan['n']}, 1 - {plan['limit']}, {confidence}"),
        ("seed", plan["seed"]),
        ("draw", plan["draw"]),
        ("labels", release["labels_sha256"]),
        ("ids", release["ids_sha256"]),
        ("key", key),
    )
    listed = "".join(f"<dt>{escape(words[name])}</dt><dd>{escape(str(value))}</dd>" for name, value in facts)
    verdict = words["reached"] if result["reached"] else words["missed"]
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(words['title'])}: {escape(str(release['name']))}</title>"
        f"<style>{STYLE}</style></head><body><main>"
        f"<h1>{escape(words['title'])}: {escape(str(release['name']))}</h1>"
        f'<p class="claim">{escape(claim)}</p><p>{escape(verdict)}</p>{picture}'
        f"<h2>{escape(words['plan'])}</h2>{''.join(f'<p>{escape(text)}</p>' for text in told)}"
        f"<h2>{escape(words['limits'])}</h2><ul>{''.join(f'<li>{escape(text)}</li>' for text in limits)}</ul>"
        f"<h2>{escape(words['facts'])}</h2><dl>{listed}</dl></main></body></html>"
    )
