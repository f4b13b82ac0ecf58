"""JSONL CONLL: what spaCy makes of marks: as examples to train on, and of the tags by its own converter."""

import json
import sys
from pathlib import Path

import spacy
from spacy.training import Example
from spacy.training.converters import conll_ner_to_docs

nlp = spacy.blank("xx")
rows = [json.loads(line) for line in Path(sys.argv[1]).read_text("utf-8").splitlines()]
made = []
for row in rows:
    # as it is done for data whose marks begin or end within words
    doc = nlp.make_doc(row["text"])
    cuts = {place for start, end, _ in row["spans"]["sc"] for place in (start, end)}
    with doc.retokenize() as merged:
        for token in list(doc):
            inner = sorted(cut - token.idx for cut in cuts if token.idx < cut < token.idx + len(token))
            if inner:
                pieces = [token.text[a:b] for a, b in zip([0, *inner], [*inner, len(token)], strict=True)]
                merged.split(token, pieces, heads=[(token, 0)] * len(pieces))
    example = Example.from_dict(doc, {"entities": row["entities"], "spans": row["spans"]})
    made.append(
        {
            "entities": [[one.text, one.label_] for one in example.reference.ents],
            "spans": [[one.text, one.label_] for one in example.reference.spans["sc"]],
        }
    )
docs = list(conll_ner_to_docs(Path(sys.argv[2]).read_text("utf-8"), n_sents=1, no_print=True))
print(json.dumps({"made": made, "converted": [[[one.text, one.label_] for one in doc.ents] for doc in docs]}))
