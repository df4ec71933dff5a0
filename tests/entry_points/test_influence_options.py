"""How the influence is computed is an option of the features: no model is trained again for it."""

import pandas as pd

from entry_points.influence_options import INFLUENCE, every_influence, scores_file
from entry_points.options import OPTIONS

TINY = ["--subset", "200", "--baseline_epochs", "1", "--baseline_folds", "2", "--epochs", "2", "--model", "convnet"]
COMMAND = ["extract_features", *TINY, "--signals", "self_influence,cnci", "--jobs", "1", "--device", "cpu"]


def test_another_norm_of_the_influence_trains_nothing_and_the_repair_label_is_no_feature(desk):
    frames = {}
    for how in (["none", "yes"], ["cosine", "no"]):
        done = desk.type(*COMMAND, "--influence_norm", how[0], "--influence_bias", how[1])
        assert done.returncode == 0, done.stderr[-3000:]
        run = desk.runs("extract_features")[0].info.run_id
        frames[how[0]] = [
            pd.read_parquet(desk.artifact(run, f"{name}.parquet")) for name in ("features", "suggestions")
        ]
    assert len(desk.runs("train_noisy")) == 1 and len(desk.runs("extract_features")) == 2
    features, suggestions = frames["none"]
    assert features["influence.self_influence"].nunique() > 190
    assert frames["cosine"][0]["influence.self_influence"].nunique() == 1
    assert not features["influence.cnci"].equals(frames["cosine"][0]["influence.cnci"])
    assert list(features) == ["sample_id", "influence.self_influence", "influence.cnci"]
    assert list(suggestions) == ["sample_id", "given_label", "suggested_label", "influence_repair_label"]
    assert suggestions["influence_repair_label"].between(0, 9).all()
    assert (suggestions["influence_repair_label"] != suggestions["given_label"]).mean() > 0.9


def test_every_influence_has_scores_of_its_own_and_the_published_one_stands_where_none_is_typed():
    made = every_influence({"draws": 5})
    assert len({scores_file(one) for one in made}) == 4 and made[0]["draws"] == 5
    for name, values in INFLUENCE.items():
        assert tuple(OPTIONS[name].type.choices) == values and OPTIONS[name].default == values[0] == made[0][name]
