"""The rules are what Prometheus takes, and ask for figures that there are."""

import re
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from config.env import ROOT
from jointoit.api.observability import metrics

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "prometheus-rules.yml").read_text())["groups"]
    for rule in group["rules"]
]
FIGURE = re.compile(r"\bjointoit_[a-z_]+(?=[{\[)\s])")


def names(expression: str) -> set[str]:
    return {name.removesuffix("_bucket") for name in FIGURE.findall(expression)}


@pytest.mark.django_db
def test_every_rule_asks_for_figures_that_are_told() -> None:
    told = {family.name for family in text_string_to_metric_families(metrics.exposition().decode())}
    asked = set().union(*(names(rule["expr"]) for rule in RULES))

    assert {name.removesuffix("_total") for name in asked} - told == set()
    assert len(asked) == 10


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_rule_has_what_prometheus_and_a_person_need(rule: dict[str, Any]) -> None:
    assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
    assert re.fullmatch(r"[0-9]+[smh]", rule.get("for", "0s"))
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert all(rule["expr"].count(opening) == rule["expr"].count(closing) for opening, closing in ("()", "[]", "{}"))
    assert f"`{rule['alert']}`" in (ROOT / "docs" / "operations.md").read_text()


def test_prometheus_finds_the_rules_and_names_no_token() -> None:
    told = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())

    assert told["rule_files"] == ["prometheus-rules.yml"]
    assert [job["authorization"] for job in told["scrape_configs"]] == [{"credentials_file": "metrics_token"}] * 2
