"""Configurations: named choices, each axis switched alone, and errors that list what there is."""

from __future__ import annotations

import re
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from sentinel.consumer.choices import AXES, CHOICES, Choice, DecodeChoice
from sentinel.consumer.configurations import (
    BASELINE,
    CLIENT_BATCHING,
    CONFIGURATIONS,
    OPTIMISED,
    Configuration,
    parse,
    request_per_point,
)
from sentinel.errors import SettingsError

SWITCHES = [(name, axis, choice) for name in CONFIGURATIONS for axis, choices in CHOICES.items() for choice in choices]


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=str)
def test_a_configuration_is_found_by_its_name(configuration: Configuration) -> None:
    """A name alone is the configuration itself, and blanks around it do not matter."""
    assert configuration == parse(configuration.name)
    assert configuration == parse(f" {configuration.name} ")


def test_the_three_configurations_differ_as_designed() -> None:
    """client-batching changes only the write of baseline, and optimised shares no choice with it."""
    assert BASELINE.axes() | {"write": "client-batching"} == CLIENT_BATCHING.axes()
    assert set() == set(BASELINE.axes().items()) & set(OPTIMISED.axes().items())


@pytest.mark.parametrize(("name", "axis", "choice"), SWITCHES)
def test_every_axis_can_be_switched_alone(name: str, axis: str, choice: str) -> None:
    """A switch changes its axis and the name, and nothing else."""
    switched = parse(f"{name},{axis}={choice}")
    assert CONFIGURATIONS[name].axes() | {axis: choice} == switched.axes()
    assert f"{name},{axis}={choice}" == switched.name


def test_several_switches_apply_in_order() -> None:
    """All switches apply, the later of two on one axis wins, and blanks are dropped from the name."""
    parsed = parse("baseline , decode=msgspec, write=post-batches,decode=json.loads")
    assert BASELINE.axes() | {"write": "post-batches"} == parsed.axes()
    assert parsed.name == "baseline,decode=msgspec,write=post-batches,decode=json.loads"


def test_semicolons_divide_like_commas() -> None:
    """Within a list that is joined by commas a configuration is still one word, and is called the same."""
    assert parse("optimised,decode=json.loads,write=client-batching") == parse(
        "optimised; decode=json.loads;write=client-batching"
    )


def test_a_parsed_name_parses_to_the_same_configuration() -> None:
    """The name recorded in a run leads back to the same choices."""
    parsed = parse("optimised,decode=json.loads,point=influxdb-client")
    assert parsed == parse(parsed.name)


@pytest.mark.parametrize("text", ["fast", "", "Optimised", "=", ",decode=msgspec", "decode=msgspec"])
def test_an_unknown_name_is_refused_with_the_known_ones(text: str) -> None:
    """The message quotes the name and lists every configuration."""
    with pytest.raises(SettingsError) as caught:
        parse(text)
    name = text.split(",", maxsplit=1)[0]
    expected = f"configuration={name!r} is unknown: expected one of baseline, client-batching, optimised"
    assert expected == str(caught.value)


@pytest.mark.parametrize("switch", ["codec=json", "msgspec", "", "name=x", "=msgspec", "Decode=msgspec"])
def test_an_unknown_axis_is_refused_with_the_known_ones(switch: str) -> None:
    """The message quotes the switch and lists every axis; the name is not one."""
    with pytest.raises(SettingsError) as caught:
        parse(f"optimised,{switch}")
    expected = f"{switch!r} switches no axis: expected AXIS=CHOICE with one of receive, decode, point, write"
    assert expected == str(caught.value)


@pytest.mark.parametrize("axis", CHOICES)
@pytest.mark.parametrize("choice", ["orjson", "", "msgspec=1"])
def test_an_unknown_choice_is_refused_with_the_known_ones(axis: str, choice: str) -> None:
    """The message quotes axis and choice and lists what the axis allows."""
    with pytest.raises(SettingsError) as caught:
        parse(f"optimised,{axis}={choice}")
    assert f"{axis}={choice!r} is not a choice: expected one of {', '.join(CHOICES[axis])}" == str(caught.value)


def test_a_wrong_choice_cannot_be_constructed_either() -> None:
    """The record itself checks its choices, whoever makes it."""
    with pytest.raises(SettingsError, match="receive='carrier-pigeon' is not a choice"):
        Configuration("mine", "carrier-pigeon", "msgspec", "line-bytes", "post-batches")


@pytest.mark.parametrize("field", ["name", *CHOICES])
def test_a_configuration_is_frozen(field: str) -> None:
    """Nobody changes a configuration that a run has recorded."""
    with pytest.raises(FrozenInstanceError):
        setattr(OPTIMISED, field, "other")


def test_every_choice_belongs_to_some_configuration() -> None:
    """No choice is offered that none of the named configurations uses."""
    used = {axis: {c.axes()[axis] for c in CONFIGURATIONS.values()} for axis in CHOICES}
    assert used == {axis: set(choices) for axis, choices in CHOICES.items()}


@pytest.mark.parametrize("choice", [choice for choices in CHOICES.values() for choice in choices.values()], ids=str)
def test_every_choice_names_what_implements_it(choice: Choice) -> None:
    """The object reference of a choice leads to something that can be called, and the choice stands on its axis."""
    assert callable(choice.implemented())
    assert choice is CHOICES[choice.AXIS][choice.name]
    assert isinstance(choice, AXES[choice.AXIS])


@pytest.mark.parametrize(
    ("implementation", "words"),
    [
        ("nowhere:decode", "No module named 'nowhere'"),
        ("sentinel.model.codecs:nothing", "has no attribute 'nothing'"),
        ("no reference", "no reference"),
    ],
)
def test_a_choice_whose_library_is_missing_is_an_error(implementation: str, words: str) -> None:
    """Never a silent fallback: the message names axis, choice and reference."""
    choice = DecodeChoice("mine", "", implementation)
    with pytest.raises(SettingsError, match=re.escape(f"decode=mine ({implementation}) cannot be loaded: ")) as caught:
        choice.decoder()
    assert words in str(caught.value)


def test_a_library_missing_inside_an_implementation_is_the_same_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that imports its library when it is made is told of like one that cannot be found."""
    monkeypatch.setitem(sys.modules, "sentinel.store.influxdb_client", None)
    with pytest.raises(SettingsError, match=r"write=client-synchronous .* cannot be loaded: .*influxdb_client"):
        BASELINE.write.open(None)  # type: ignore[arg-type]


def test_traits_are_those_of_the_choices() -> None:
    """Which of the three are given whole batches, or post every point alone, and what a run's record says of that."""
    assert ["optimised"] == [c.name for c in CONFIGURATIONS.values() if c.write.whole_batches and c.receive.whole_reads]
    assert ["baseline"] == [c.name for c in CONFIGURATIONS.values() if c.write.request_per_point]
    assert ["baseline"] == [c.name for c in CONFIGURATIONS.values() if request_per_point(c.axes())]
    assert not request_per_point({"write": "of a package that is gone"})
    assert not request_per_point({})


def test_the_docs_list_every_choice() -> None:
    """docs/architecture.md says of each axis what there is to choose, in the words of the choices themselves."""
    docs = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
    for axis, choices in CHOICES.items():
        row = "; ".join(f"`{choice.name}`: {choice.about}" for choice in choices.values())
        assert f"| `{axis}` | {row} |" in docs
