"""Makes rates.json: rates of scikit-learn and p-values of statsmodels, for the tests of `rates.rs` and
`holm.rs`.

    pip install scikit-learn==1.9.1 statsmodels==0.15.0 && python crates/eval/tests-data/rates.py

Predictions of four classes: as they come; with a class that does not occur and one that is never
predicted; of 32-bit floats as `predictions.parquet` has them; and with a gold label of probability 0.
Macro averages are over the classes that occur, as the crate has them. scikit-learn has no expected
calibration error: it is computed here by its definition (Guo et al. 2017), bins (k/15, (k + 1)/15].
"""
import json
import pathlib

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
)
from statsmodels.stats.multitest import multipletests

CLASSES = 4
noise = np.random.default_rng(11)


def predictions(n, gold_classes, column_bias):
    gold = noise.choice(gold_classes, size=n)
    logits = noise.normal(size=(n, CLASSES)) + 1.5 * np.eye(CLASSES)[gold] + column_bias
    p = np.exp(logits)
    return gold, p / p.sum(axis=1, keepdims=True)


def ece(gold, p):
    top, right = p.max(axis=1), p.argmax(axis=1) == gold
    edges = np.arange(16) / 15
    inside = [(top > low) & (top <= high) for low, high in zip(edges[:-1], edges[1:])]
    assert sum(map(np.sum, inside)) == len(gold)
    return sum(m.mean() * abs(right[m].mean() - top[m].mean()) for m in inside if m.any())


def case(gold, p):
    predicted, occurring = p.argmax(axis=1), np.unique(gold)
    average = {"labels": occurring, "zero_division": 0}
    each = precision_recall_fscore_support(gold, predicted, labels=range(CLASSES), zero_division=0)
    return {
        "gold": gold.tolist(),
        "probabilities": p.tolist(),
        "wa": accuracy_score(gold, predicted),
        "ua": balanced_accuracy_score(gold, predicted),
        "precision": each[0].tolist(),
        "recall": each[1].tolist(),
        "f1": each[2].tolist(),
        "support": each[3].tolist(),
        "macro_f1": f1_score(gold, predicted, average="macro", **average),
        "weighted_f1": f1_score(gold, predicted, average="weighted", zero_division=0),
        "ece": ece(gold, p),
        "brier": brier_score_loss(gold, p, scale_by_half=False, labels=list(range(CLASSES))),
        "nll": log_loss(gold, p, labels=range(CLASSES)),
    }


cases = [case(*predictions(40, [0, 1, 2, 3], [0.0, 0.0, 0.0, 0.0]))]
cases.append(case(*predictions(30, [0, 1, 3], [0.0, -9.0, 1.0, 0.0])))
gold, p = predictions(30, [0, 1, 2, 3], [0.5, 0.0, 0.0, 0.0])
cases.append(case(gold, p.astype(np.float32).astype(np.float64)))
gold, p = predictions(12, [0, 1, 2], [0.0, 0.0, 0.0, 0.0])
p[0] = np.where(np.arange(CLASSES) == (gold[0] + 1) % CLASSES, 1.0, 0.0)
cases.append(case(gold, p))

families = [
    [0.001, 0.04, 0.03, 0.005],
    [0.02, 0.02, 0.02, 0.5],
    [0.9, 0.8, 1.0],
    [0.03],
    noise.uniform(0, 0.2, size=9).round(4).tolist(),
]
holm = [{"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()} for p in families]
text = json.dumps({"cases": cases, "holm": holm})
(pathlib.Path(__file__).parent / "rates.json").write_text(text + "\n")
