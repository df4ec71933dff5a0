import mlflow
import pytest

from anomaly_mlflow.models import Architecture, build
from anomaly_mlflow.tracking.lifecycle import start
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import save_model
from entry_points.trained import publish

pytestmark = pytest.mark.filterwarnings("default")


def test_a_model_that_an_earlier_process_registered_is_not_registered_again(stripes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    save_model(build(Architecture("convnet", stripes.image_shape, 3)), tmp_path / "model")
    contents = []
    with start("train_noisy", {}) as run:
        for each in (run, Run(run.id, resumed=True)):
            publish(each, "noisy", stripes, stripes, "convnet", tmp_path / "model", 0.5)
            contents.append(each.content)
    client = mlflow.MlflowClient()
    assert len(client.search_model_versions("name = 'noisy-stripes-convnet'")) == 1
    assert [entry.value for entry in client.get_metric_history(run.id, "final_test_accuracy")] == [0.5]
    assert contents[0] == contents[1]
