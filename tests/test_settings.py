"""The presets have the values of the table, and settings that make no sense are refused."""

from dataclasses import FrozenInstanceError, fields, replace
from typing import get_args

import pytest

from saflex_cli.errors import SaflexError, SaflexValueError
from saflex_cli.settings import PRESETS, PresetName, Settings, preset_settings

VERBATIM = {"scope": "all", "scale": 1, "label_retention": 0, "model_prior": 0, "outer_batch_size": "auto"}
REPAIRED = {"scope": "head", "outer_batch_size": "all"}
TABLE = {
    "paper": {**VERBATIM, "gumbel_scale": 1, "temperature": 0.01, "weight_rule": "agreement"},
    "lp": {**VERBATIM, "gumbel_scale": 0, "temperature": 0, "weight_rule": "agreement"},
    "theorem1": {**VERBATIM, "gumbel_scale": 0, "temperature": 0, "weight_rule": "printed_sum"},
    "weights_only": {**REPAIRED, "refine_labels": False, "weight_rule": "upstream_agreement"},
    "proximal": {
        **REPAIRED,
        "scale": "rms",
        "label_retention": 2,
        "model_prior": 1,
        "gumbel_scale": 0,
        "temperature": 1,
        "weight_rule": "agreement",
    },
    "bootstrap": {
        "scope": "none",
        "scale": 0,
        "label_retention": 2,
        "model_prior": 1,
        "gumbel_scale": 0,
        "temperature": 1,
        "weight_rule": "none",
    },
    "l2rw": {"scope": "all", "refine_labels": False, "weight_rule": "relu", "outer_batch_size": "auto"},
}
"""Scope of Π, s, β, γ, κ, τ, weight rule and outer batch; a dash in the table is a term the preset does not use."""

TABLE["default"] = TABLE["proximal"] | {"outer_every": "auto"}

OUR_CHOICES = {
    "alignment_sign": 1,
    "alignment_of": "log_prob",
    "alignment_mode": "train",
    "outer_reduction": "mean",
    "outer_every": 1,
    "precondition": False,
    "retention_of": "soft",
    "weight_test_of": "alignment",
    "simplex_weights": False,
    "normalise": "sum",
}
"""Of the ambiguities that no preset turns (E1, E2, E6, E9 to E13, E15, E16)."""


def test_the_table_is_complete():
    assert set(TABLE) == set(PRESETS) == set(get_args(PresetName))


@pytest.mark.parametrize("preset", TABLE)
def test_presets_have_the_values_of_the_table(preset):
    settings = PRESETS[preset]
    expected = {"refine_labels": True, **OUR_CHOICES, **TABLE[preset]}
    assert {name: getattr(settings, name) for name in expected} == expected


def test_bootstrap_is_proximal_without_alignment():
    """The ablation differs in what Π needs, and in nothing else."""
    differing = {
        field.name
        for field in fields(Settings)
        if getattr(PRESETS["bootstrap"], field.name) != getattr(PRESETS["proximal"], field.name)
    }
    assert differing == {"scope", "scale", "weight_rule"}


@pytest.mark.parametrize("preset", PRESETS)
def test_only_presets_with_alignment_need_outer_data(preset):
    assert PRESETS[preset].needs_outer is (preset != "bootstrap")


def test_single_fields_can_be_replaced():
    """A preset with overrides is that preset but for the fields named."""
    assert preset_settings("paper", temperature=0.1) == replace(PRESETS["paper"], temperature=0.1)
    assert PRESETS["paper"].temperature == 0.01


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        PRESETS["paper"].temperature = 1.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scope": "none"}, "scope none computes no Π"),
        ({"scope": "none", "weight_rule": "none"}, "scope none computes no Π"),
        ({"scope": "none", "weight_rule": "none", "scale": "rms"}, "scope none computes no Π"),
        ({"scope": "none", "weight_rule": "agreement", "scale": 0.0}, "scope none computes no Π"),
        ({"simplex_weights": True, "weight_rule": "none"}, "simplex_weights needs a weight_rule"),
    ],
)
def test_contradictions_are_refused(values, message):
    with pytest.raises(SaflexValueError, match=message):
        Settings(**values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scope", "body"),
        ("alignment_of", "probability"),
        ("alignment_mode", "test"),
        ("outer_reduction", "max"),
        ("outer_batch_size", "half"),
        ("outer_batch_size", 0),
        ("outer_every", 0),
        ("scale", "max"),
        ("scale", -1.0),
        ("scale_cap", 0.0),
        ("label_retention", -0.1),
        ("retention_of", "hard"),
        ("model_prior", -0.1),
        ("gumbel_scale", -0.1),
        ("temperature", -0.1),
        ("weight_rule", "disagreement"),
        ("weight_test_of", "label"),
        ("normalise", "mean"),
    ],
)
@pytest.mark.usefixtures("as_installed")
def test_values_out_of_range_are_refused(name, value):
    """The message names the field."""
    with pytest.raises(SaflexValueError, match=name):
        Settings(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alignment_sign", 0),
        ("alignment_sign", 2),
        ("alignment_sign", -1.5),
        ("scope", 1),
        ("weight_rule", 0),
        ("normalise", True),
        ("outer_every", 1.5),
        ("outer_batch_size", 2.5),
        *[(name, float("nan")) for name in ("scale", "scale_cap", "label_retention", "model_prior", "temperature")],
    ],
)
@pytest.mark.usefixtures("as_installed")
def test_numbers_that_are_no_choice_are_refused(name, value):
    """A number does not slip through a field of fixed choices, nor a fraction or a NaN through a number's range."""
    with pytest.raises(SaflexValueError, match=name):
        Settings(**{name: value})


@pytest.mark.parametrize("preset", ["", "Paper", "none"])
def test_unknown_presets_are_refused(preset):
    with pytest.raises(
        SaflexError, match="there are: default, paper, lp, theorem1, weights_only, proximal, bootstrap, l2rw"
    ):
        preset_settings(preset)


def test_unknown_fields_are_refused():
    with pytest.raises(SaflexValueError, match="unknown setting 'tau'"):
        preset_settings("paper", tau=0.1)
