"""Settings: durations as people write them, the environment over working defaults, and no secret in a repr."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING

import pytest

from sentinel.environment import LabSettings, child_environment, external_urls, named_in_environment
from sentinel.errors import SettingsError
from sentinel.settings import (
    AgentSettings,
    BusSettings,
    ConsumerSettings,
    LoadSettings,
    StoreSettings,
    parse_duration,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("token", ["tok\n", " tok", "tok\r\n"])
def test_a_token_loses_its_newline(token: str) -> None:
    """As a file or a shell hands it over."""
    assert StoreSettings.from_env({"INFLUX_TOKEN": token}).token == "tok"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120s", 120.0),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("500ms", 0.5),
        (10, 10.0),
        (2.5, 2.5),
        ("10", 10.0),
        ("2.5", 2.5),
        ("0.5h", 1800.0),
        ("1.5m", 90.0),
        (" 90 s ", 90.0),
        (0.00005, 0.00005),
        (1e16, 1e16),
    ],
)
def test_a_duration_is_read_in_every_documented_form(value: float | str | None, seconds: float) -> None:
    """Numbers are seconds, and the suffixes ms, s, m and h scale them."""
    assert seconds == pytest.approx(parse_duration(value), rel=1e-12)


@pytest.mark.parametrize(
    "value",
    [
        *("soon", "", " ", "nan", "inf", "-inf", "0", "-1", "0s", "0.0ms", "10 days", "1h30m", "s", "1,5s", "+3s"),
        *("9" * 400, 0, 0.0, -1, -2.5, float("nan"), float("inf"), None, True),
    ],
)
def test_what_is_no_positive_duration_is_refused_with_the_value_and_a_remedy(value: float | str | None) -> None:
    """Anything but a finite, positive duration is a SettingsError that quotes the value and shows valid ones."""
    with pytest.raises(SettingsError) as caught:
        parse_duration(value, "warmup")
    assert f'warmup={value!r} is not a duration: give seconds such as 10, or "90s", "2m", "1h"' == str(caught.value)


def test_an_unnamed_duration_is_called_duration() -> None:
    """The message has a subject even where the caller gave none."""
    with pytest.raises(SettingsError, match=r"^duration='soon' is not a duration"):
        parse_duration("soon")


def test_the_bus_has_a_working_default_and_yields_to_the_environment() -> None:
    """REDIS_URL replaces the default; unset or empty leaves it."""
    assert BusSettings() == BusSettings.from_env({})
    assert BusSettings() == BusSettings.from_env({"REDIS_URL": ""})
    assert BusSettings(url="redis://r:1/2") == BusSettings.from_env({"REDIS_URL": "redis://r:1/2"})


def test_the_original_channel_is_the_default() -> None:
    """A Go SentinelStream generator publishes on `metrics`, which we must read without being told."""
    assert BusSettings().channel == "metrics"


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, StoreSettings()),
        ({"INFLUX_URL": "", "INFLUX_ORG": "", "INFLUX_BUCKET": "", "INFLUX_TOKEN": ""}, StoreSettings()),
        ({"INFLUX_URL": "http://i:1"}, StoreSettings(url="http://i:1")),
        ({"INFLUX_TOKEN": "t"}, StoreSettings(token="t")),
        ({"INFLUX_ORG": "o"}, StoreSettings(org="o")),
        ({"INFLUX_BUCKET": "b"}, StoreSettings(bucket="b")),
    ],
)
def test_each_store_variable_replaces_its_own_default(env: dict[str, str], expected: StoreSettings) -> None:
    """Every INFLUX_ variable stands alone; unset or empty leaves the default."""
    assert expected == StoreSettings.from_env(env)


@pytest.mark.parametrize(
    ("settings", "variable", "value"),
    [
        (BusSettings, "REDIS_URL", "redis://r:1/2"),
        (StoreSettings, "INFLUX_URL", "http://i:1"),
        (LabSettings, "SENTINEL_RUN_ID", "r1"),
    ],
)
def test_without_a_mapping_the_process_environment_is_read(
    monkeypatch: pytest.MonkeyPatch, settings: object, variable: str, value: float | str | None
) -> None:
    """`from_env()` reads `os.environ` itself."""
    monkeypatch.setenv(variable, value)
    assert settings.from_env({variable: value}) == settings.from_env()


@pytest.mark.parametrize("render", [repr, str, "{}".format, lambda s: f"{[s]}"])
def test_the_token_is_never_shown(render: Callable[[object], str]) -> None:
    """No way of printing the settings shows the token, which would end in logs and run records."""
    assert "s3cret" not in render(StoreSettings(token="s3cret"))


def test_the_lab_reads_what_a_runner_tells_it() -> None:
    """SENTINEL_RUN_ID and SENTINEL_PROGRESS arrive, and are empty where unset."""
    env = {LabSettings.RUN_ID: "r1", LabSettings.PROGRESS: "/tmp/p"}
    assert LabSettings(run_id="r1", progress="/tmp/p") == LabSettings.from_env(env)
    assert LabSettings() == LabSettings.from_env({})


def test_the_environment_sets_only_parameters() -> None:
    """Exactly the names asked for; what is empty is unset, and a window of GNU screen is no parameter."""
    env = {"WORKERS": "128", "workers": "1", "RATE": "", "PATH": "/bin", "WINDOW": "0"}
    assert {"WORKERS": "128", "WINDOW": "0"} == named_in_environment(["SEED", "WORKERS", "RATE", "WINDOW"], env)
    assert {"WORKERS": "128"} == named_in_environment(["WORKERS", "WINDOW"], env | {"STY": "1.tty"})


def test_an_external_stack_is_both_urls_or_none() -> None:
    """Both URLs make an external stack, and none makes none."""
    env = {"REDIS_URL": "redis://r", "INFLUX_URL": "http://i"}
    assert external_urls(env) == ("redis://r", "http://i")
    assert external_urls({}) is None
    assert external_urls({"REDIS_URL": "", "INFLUX_URL": ""}) is None


@pytest.mark.parametrize(
    ("env", "missing"),
    [
        ({"REDIS_URL": "redis://r"}, "INFLUX_URL"),
        ({"INFLUX_URL": "http://i"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://r", "INFLUX_URL": ""}, "INFLUX_URL"),
    ],
)
def test_half_an_external_stack_is_refused_by_name(env: dict[str, str], missing: str) -> None:
    """One URL alone is a SettingsError that names the other one."""
    with pytest.raises(SettingsError) as caught:
        external_urls(env)
    assert str(caught.value) == (
        f"an external stack needs REDIS_URL and INFLUX_URL: {missing} is not set; set it, or take STACK=native or"
        " STACK=embedded, which heed neither"
    )


def test_a_child_inherits_the_environment_and_the_extras_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program we start sees our environment, with the extras over it as text."""
    monkeypatch.setenv("KEPT", "yes")
    monkeypatch.setenv("REPLACED", "old")
    child = child_environment(REPLACED="new", PLACE=tmp_path)
    assert ("yes", "new", str(tmp_path)) == (child["KEPT"], child["REPLACED"], child["PLACE"])


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (BusSettings(), "url"),
        (StoreSettings(), "token"),
        (ConsumerSettings(), "batch_size"),
        (LoadSettings(), "rate"),
        (AgentSettings(), "interval"),
        (LabSettings(), "run_id"),
    ],
)
def test_settings_are_frozen(settings: object, name: str) -> None:
    """Nobody changes settings that a run has recorded."""
    with pytest.raises(FrozenInstanceError):
        setattr(settings, name, "other")
