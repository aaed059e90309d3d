"""cleanlab beside our detectors, on the same noisy labels and vectors.

python noise_rivals.py STORE RESULTS PIPELINE…    (pip install polars scikit-learn cleanlab scipy)

after `cargo xtask cv --pipeline PIPELINE --store STORE --results RESULTS` of pipelines such as
pipelines/noise-vectors.toml, with two seeds or more. Average precision and AUROC of cleanlab's self-confidence
and normalised margin by scikit-learn's logistic regression in ten folds that mix speakers, once, and as the mean of
the probabilities of nine such cross-validations, which is as many models for every utterance as trained on it in
ours; and beside them the margin and our `chosen`, computed again here from what the runs left: detectors chosen on
the other seeds, of all but `audit`, `label`, `weight` and `confident-learning`. Differences in average precision with
95 % intervals by Student's t over the seeds.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
from cleanlab.rank import get_label_quality_scores
from scipy.stats import t
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

STORE, RESULTS = Path(sys.argv[1]), Path(sys.argv[2])
RECORDS = [json.loads(file.read_text()) for file in STORE.glob("records/*/*")]
MADE_BY = {output["digest"]: record for record in RECORDS for output in record["outputs"].values()}


def table(record, role):
    """An output of a stage."""
    folder = STORE / "objects" / record["parts"]["stage"] / record["key"]
    return pl.read_parquet(folder / record["outputs"][role]["name"])


def places(scores):
    """The share of utterances that are less suspect, equals counting half."""
    order = np.sort(scores)
    return (np.searchsorted(order, scores, "left") + np.searchsorted(order, scores, "right")) / (2 * len(scores))


def vectors_of(run, ids):
    """What the extraction made, in the order of these utterances."""
    mapped = MADE_BY[run["parts"]["inputs"]["vectors"]]
    made = table(MADE_BY[mapped["parts"]["inputs"]["vectors"]], "vectors")
    made = made.filter(pl.col("utterance_id").is_in(ids)).sort("utterance_id")
    return made.drop("utterance_id").to_numpy().astype(float)


def own(runs, ids, gold, classes, vectors):
    """Places by our detectors, from what the runs of one seed left."""
    labels = pl.concat(table(run, "labels") for run in runs).group_by("utterance_id").agg(
        pl.col("margin", "loss", "confidence").cast(pl.Float64).mean()).sort("utterance_id")
    tested = pl.concat(table(run, "predictions").filter(pl.col("part") == "test") for run in runs).sort("utterance_id")
    probabilities = tested.select("p_" + name for name in classes).to_numpy().astype(float)
    unit = StandardScaler().fit_transform(vectors)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -2)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :10]
    votes = np.stack([np.bincount(gold[row], minlength=len(classes)) for row in nearest])
    every = np.arange(len(gold))
    scores = {
        "loss": places(labels["loss"].to_numpy()),
        "margin": places(-labels["margin"].to_numpy()),
        "confidence": places(-labels["confidence"].to_numpy()),
        "neighbours": places(-votes[every, gold] / np.linalg.norm(votes, axis=1)),
        "self-confidence": places(-probabilities[every, gold]),
    }
    scores["together"] = np.mean([scores["margin"], scores["self-confidence"], scores["neighbours"]], axis=0)
    return {name: places(of_all) for name, of_all in scores.items()}


def found(wrong, scores):
    """Average precision and AUROC."""
    return average_precision_score(wrong, scores), roc_auc_score(wrong, scores)


def together(draw, names):
    return found(draw["wrong"], np.mean([draw["places"][name] for name in names], axis=0))


def choose(draws):
    """Detectors one after the other, as long as the gain is above its standard error over the draws."""
    chosen, before = [], None
    while True:
        tried = [(name, np.array([together(draw, [*chosen, name])[0] for draw in draws]))
                 for name in draws[0]["places"] if name not in chosen]
        name, after = max(tried, key=lambda one: one[1].sum(), default=(None, None))
        gain = None if before is None or name is None else after - before
        if name is None or gain is not None and not gain.mean() > gain.std(ddof=1) / len(gain) ** 0.5:
            return chosen
        chosen, before = [*chosen, name], after


def cross_validations(vectors, gold, seed, repetitions):
    """Out-of-fold probabilities of a logistic regression, of every repetition."""
    for repetition in range(repetitions):
        probabilities = np.zeros((len(gold), gold.max() + 1))
        folds = StratifiedKFold(10, shuffle=True, random_state=100 * seed + repetition)
        for train, test in folds.split(vectors, gold):
            scaler = StandardScaler().fit(vectors[train])
            model = LogisticRegression(C=0.001, class_weight="balanced", max_iter=1000)
            model.fit(scaler.transform(vectors[train]), gold[train])
            probabilities[test] = model.predict_proba(scaler.transform(vectors[test]))
        yield probabilities


def draws_of(pipeline):
    for evaluation in RECORDS:
        if evaluation["parts"]["stage"] != "evaluate" or evaluation["parts"]["params"]["pipeline"] != pipeline:
            continue
        by_seed = defaultdict(list)
        for role, digest in evaluation["parts"]["inputs"].items():
            if role.startswith("labels/"):
                by_seed[MADE_BY[digest]["parts"]["params"]["seed"]].append(MADE_BY[digest])
        for seed, runs in by_seed.items():
            noise = MADE_BY[runs[0]["parts"]["inputs"]["noise"]]
            labels = table(noise, "noise").sort("utterance_id")
            ids, classes = labels["utterance_id"].to_list(), sorted(labels["clean"].unique())
            gold = np.array([classes.index(label) for label in labels["given"]])
            vectors = vectors_of(runs[0], ids)
            every = list(cross_validations(vectors, gold, seed, 9))
            wrong = (labels["clean"] != labels["given"]).to_numpy()
            rivals = {}
            for name, told in (("one", every[0]), ("nine", np.mean(every, axis=0))):
                for method in ("self_confidence", "normalized_margin"):
                    scores = -get_label_quality_scores(gold, told, method=method)
                    rivals[f"cleanlab {method}, {name}"] = found(wrong, scores)
            yield {"rate": noise["parts"]["params"]["rate"], "seed": seed, "wrong": wrong, "rivals": rivals,
                   "places": own(runs, ids, gold, classes, vectors)}


def interval(differences):
    half = t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / len(differences) ** 0.5
    return f"{differences.mean():+.3f} [{differences.mean() - half:+.3f}, {differences.mean() + half:+.3f}]"


for pipeline in sys.argv[3:]:
    draws = sorted(draws_of(pipeline), key=lambda draw: (draw["rate"], draw["seed"]))
    for draw in draws:
        chosen = choose([other for other in draws if other["seed"] != draw["seed"]])
        draw["rivals"] = {"chosen": together(draw, chosen), "margin": together(draw, ["margin"]), **draw["rivals"]}
    told = json.loads((RESULTS / pipeline / "noise.json").read_text())
    print(pipeline, "chosen:", choose(draws), "by the program:", told["chosen"]["baseline"])
    for rate in sorted({draw["rate"] for draw in draws}):
        of_rate = [draw for draw in draws if draw["rate"] == rate]
        program = next(one["average_precision"]["mean"] for one in told["detection"]
                       if one["score"] == "chosen" and abs(one["rate"] - rate) < 1e-9)
        print(f"  {rate}: chosen by the program {program:.3f}")
        chosen = np.array([draw["rivals"]["chosen"][0] for draw in of_rate])
        for name in of_rate[0]["rivals"]:
            precision, auroc = np.array([draw["rivals"][name] for draw in of_rate]).T
            less = "" if name == "chosen" else f", chosen less it {interval(chosen - precision)}"
            print(f"    {name}: {precision.mean():.3f}, AUROC {auroc.mean():.3f}{less}")
