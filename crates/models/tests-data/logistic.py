"""Makes logistic.json: optima of scikit-learn's logistic regression, for the tests of `linear`.

    pip install scikit-learn==1.9.1 && python crates/models/tests-data/logistic.py

Vectors of three classes, of which one is twice as frequent as the others, and what is said of the first
ten after training on all: with every utterance counting the same and with class_weight="balanced".
"""
import json
import pathlib

import numpy as np
from sklearn.linear_model import LogisticRegression

noise = np.random.default_rng(7)
gold = np.array([0, 0, 1, 2] * 15)
x = (noise.normal(size=(60, 5)) + np.eye(3, 5)[gold]).astype(np.float32)
cases = []
for c in [0.001, 0.1, 10.0]:
    for balanced in [False, True]:
        model = LogisticRegression(
            C=c, class_weight="balanced" if balanced else None, tol=1e-10, max_iter=100000
        )
        said = model.fit(x.astype(np.float64), gold).predict_log_proba(x[:10].astype(np.float64))
        cases.append({"c": c, "balanced": balanced, "log_y": said.tolist()})
text = json.dumps({"x": x.tolist(), "gold": gold.tolist(), "cases": cases})
(pathlib.Path(__file__).parent / "logistic.json").write_text(text + "\n")
