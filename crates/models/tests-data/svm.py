"""Makes svm.json: machines of scikit-learn's SVC, and sigmoids fitted by SciPy, for the tests of
`linear-svm`.

    pip install scikit-learn==1.9.1 && python crates/models/tests-data/svm.py

Vectors of three classes, of which one is twice as frequent as the others, and what the machine of each pair
says of the first ten after training on all: with every utterance counting the same, with
class_weight="balanced", and with soft targets, each utterance three times with its shares as weights.
"""
import json
import pathlib

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.svm import SVC

noise = np.random.default_rng(7)
gold = np.array([0, 0, 1, 2] * 15)
x = (noise.normal(size=(60, 5)) + np.eye(3, 5)[gold]).astype(np.float32)
soft = noise.dirichlet(np.ones(3), size=60) * 0.4 + np.eye(3)[gold] * 0.6
wide = x.astype(np.float64)


def machine(c, balanced):
    weight = "balanced" if balanced else None
    return SVC(
        kernel="linear", C=c, class_weight=weight, tol=1e-9, decision_function_shape="ovo"
    )


cases = []
for c in [0.01, 0.1, 1.0]:
    for balanced in [False, True]:
        said = machine(c, balanced).fit(wide, gold).decision_function(wide[:10])
        cases.append({"c": c, "targets": "balanced" if balanced else "hard", "values": said.tolist()})
    copies = machine(c, False)
    copies.fit(np.repeat(wide, 3, axis=0), np.tile([0, 1, 2], 60), sample_weight=soft.ravel())
    said = copies.decision_function(wide[:10])
    cases.append({"c": c, "targets": "soft", "values": said.tolist()})

voted = machine(0.1, False).fit(wide, gold).predict(wide)


def slope(values, first, weights):
    """Of 1 / (1 + exp(-slope * value)), with Platt's targets."""
    firsts, others = weights[first == 1].sum(), weights[first == 0].sum()
    target = np.where(first == 1, (firsts + 1) / (firsts + 2), 1 / (others + 2))

    def loss(slope):
        z = -slope * values
        return (weights * (np.logaddexp(0, z) - (1 - target) * z)).sum()

    return minimize_scalar(loss, bounds=(-100, 100), method="bounded", options={"xatol": 1e-9}).x


sigmoids = []
for shift in [0.0, 0.7]:
    values, weights = noise.normal(size=80), noise.uniform(0.5, 2, size=80)
    first = (values + noise.normal(size=80) + shift > 0).astype(int)
    sigmoids.append(
        {
            "values": values.tolist(),
            "first": first.tolist(),
            "weights": weights.tolist(),
            "slope": slope(values, first, weights),
        }
    )

text = json.dumps(
    {
        "x": x.tolist(),
        "gold": gold.tolist(),
        "soft": soft.tolist(),
        "cases": cases,
        "voted": voted.tolist(),
        "sigmoids": sigmoids,
    }
)
(pathlib.Path(__file__).parent / "svm.json").write_text(text + "\n")
