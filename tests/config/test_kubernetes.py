"""The manifests are what Kubernetes takes, and run what the Procfile runs."""

from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from config.env import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
KUBERNETES = ("1.31", "1.35")


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def pods() -> list[dict[str, Any]]:
    found = [document for name in FILES for document in documents(name)]
    return [each["spec"]["template"]["spec"] for each in found if each["kind"] in {"Deployment", "Job"}]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("name", FILES)
def test_each_manifest_follows_the_schema(name: str, version: str) -> None:
    for document in documents(name):
        kubernetes_validate.validate(document, version, strict=True)


def test_a_wrong_manifest_would_be_found() -> None:
    wrong = documents("web.yaml")[0]
    wrong["spec"]["replica"] = 2

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES[0], strict=True)


def test_every_manifest_is_put_together() -> None:
    assert sorted(documents("kustomization.yaml")[0]["resources"]) == FILES


def test_the_pods_run_the_lines_of_the_procfile() -> None:
    lines = {line.split(": ", 1)[1] for line in (ROOT / "Procfile").read_text().splitlines()}

    assert {" ".join(container["args"]) for pod in pods() for container in pod["containers"]} == lines


def test_no_pod_may_write_or_be_root() -> None:
    asked = [(pod["securityContext"]["runAsNonRoot"], pod["containers"][0]["securityContext"]) for pod in pods()]

    assert asked == 4 * [
        (True, {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
    ]
