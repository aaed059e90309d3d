"""Makes annotators.json: agreement, Dawid-Skene and CROWDLAB of other libraries, for the tests of `annotators.rs`.

    pip install crowd-kit==1.4.2 krippendorff==0.9.0 statsmodels==0.15.0 cleanlab==2.9.0
    python crates/eval/tests-data/annotators.py

Ratings of 60 utterances of four classes by nine annotators who err each in their own way: `even`, three each, and
`uneven`, one to seven. A model's probabilities beside them are right for two thirds. Dawid-Skene runs until it
stands still.
"""
import json
import pathlib

import krippendorff
import numpy as np
import pandas as pd
from cleanlab.multiannotator import get_label_quality_multiannotator
from crowdkit.aggregation import DawidSkene
from statsmodels.stats.inter_rater import fleiss_kappa

UTTERANCES, CLASSES, ANNOTATORS = 60, 4, 9
noise = np.random.default_rng(7)


def rated(numbers):
    """A row an utterance, a column an annotator; nan where nothing is said."""
    truth = noise.choice(CLASSES, size=UTTERANCES, p=[0.4, 0.3, 0.2, 0.1])
    errs = [noise.dirichlet(np.ones(CLASSES) * 0.6, size=CLASSES) * 0.5 + np.eye(CLASSES) * 0.5 for _ in range(ANNOTATORS)]
    table = np.full((UTTERANCES, ANNOTATORS), np.nan)
    for row, (true, number) in enumerate(zip(truth, numbers)):
        for who in noise.choice(ANNOTATORS, size=number, replace=False):
            table[row, who] = noise.choice(CLASSES, p=errs[who][true])
    right = np.where(noise.random(UTTERANCES) < 0.67, truth, noise.choice(CLASSES, size=UTTERANCES))
    logits = noise.normal(size=(UTTERANCES, CLASSES)) + 2.5 * np.eye(CLASSES)[right]
    model = np.exp(logits)
    return table, model / model.sum(axis=1, keepdims=True)


def dawid_skene(table):
    rows, columns = np.nonzero(~np.isnan(table))
    frame = pd.DataFrame({"task": rows, "worker": columns, "label": table[rows, columns].astype(int)})
    found = DawidSkene(n_iter=3000, tol=-1.0).fit(frame)
    return found.probas_.sort_index().reindex(columns=range(CLASSES)).to_numpy(), found.priors_.reindex(range(CLASSES)).to_numpy()


def case(numbers):
    table, model = rated(numbers)
    probabilities, prior = dawid_skene(table)
    crowdlab = get_label_quality_multiannotator(table, model, return_weights=True, verbose=False)
    quality = crowdlab["label_quality"]
    stats = crowdlab["annotator_stats"].sort_index()
    counts = [[int((row == c).sum()) for c in range(CLASSES)] for row in table]
    even = len({sum(row) for row in counts}) == 1
    return {
        "ratings": [[[int(who), int(row[who])] for who in np.nonzero(~np.isnan(row))[0]] for row in table],
        "model": model.tolist(),
        "fleiss_kappa": float(fleiss_kappa(counts)) if even else None,
        "krippendorff_alpha": float(krippendorff.alpha(reliability_data=table.T, level_of_measurement="nominal")),
        "dawid_skene": probabilities.tolist(),
        "prior": prior.tolist(),
        "consensus": quality["consensus_label"].astype(int).tolist(),
        "consensus_quality": quality["consensus_quality_score"].tolist(),
        "annotator_quality": stats["annotator_quality"].tolist(),
        "annotator_weight": crowdlab["annotator_weight"].tolist(),
        "model_weight": float(crowdlab["model_weight"]),
    }


cases = {"even": case([3] * UTTERANCES), "uneven": case(noise.integers(1, 8, size=UTTERANCES))}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(cases, indent=None) + "\n")
