from __future__ import annotations

import subprocess
import sys

NOTHING_IS_LEFT = """
import gc
from numba.core.dispatcher import Dispatcher
import numpy as np
from learner import build, warm_up

def compiled():
    return {id(one): (one.py_func.__qualname__, len(one.signatures)) for one in gc.get_objects()
            if isinstance(one, Dispatcher) and one.py_func.__module__.startswith("learner")}

warm_up()
before = compiled()
assert len(before) > 50, before
KINDS = [
    ({"kind": "vector", "dim": 5}, lambda n: np.array([n % 3, n % 5, n % 7, n, 1], np.float32)),
    ({"kind": "image", "width": 3, "height": 2, "channels": 1}, lambda n: np.full((2, 3, 1), n % 7 * 30, np.uint8)),
    ({"kind": "image", "width": 3, "height": 2, "channels": 3}, lambda n: np.full((2, 3, 3), n % 7 * 30, np.uint8)),
    ({"kind": "text", "dim": 256}, lambda n: f"word {n % 5} of {n % 3}"),
    ({"kind": "tabular", "fields": {"a": "number", "b": "category"}}, lambda n: {"a": float(n), "b": f"c{n % 3}"}),
]
FORMS = [{}, {"rates": ()}, {"fixed_point": True}, {"gate": "stochastic"}]
for source, sample in KINDS:
    for form in FORMS:
        learner = build(source, seed=1, hidden=(6,), **form)
        state = learner.start(("0", "1"))
        for seq in range(1, 60):
            state, _ = learner.learn(state, sample(seq), "012"[seq % 3] if seq < 20 else "01"[seq % 2], seq=seq)
        scorer = learner.scorer(state)
        scorer.predict(sample(1))
        scorer.predict_many([sample(n) for n in range(40)])
        scorer.packed_code(sample(1))
        late = {one: said for one, said in compiled().items() if said != before.get(one)}
        assert not late, (source, form, list(late.values()))
"""


def test_after_the_warm_up_no_request_waits_for_a_compiler() -> None:
    ran = subprocess.run([sys.executable, "-c", NOTHING_IS_LEFT], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
