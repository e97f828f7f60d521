"""Parameters: every allowed form is converted, every other is refused by name, value and what is allowed."""

from __future__ import annotations

import ast
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import papermill
import pytest

from sentinel.errors import SettingsError
from sentinel.lab import registry
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.notebook.variables import check
from sentinel.lab.parameters import RULES, Parameters, converted, from_words, read
from sentinel.lab.trials import plans

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
OF_NOTEBOOKS = {p.stem: registry.experiment(p.stem).parameters for p in sorted(NOTEBOOKS.glob("*.ipynb"))}
EVERY = {name: rule for parameters in OF_NOTEBOOKS.values() for name, rule in parameters.rules().items()}
"""The rule of every parameter of every notebook; of those that several have, the one that most of them have."""
EVERY |= {name: rule for name, rule in RULES.items() if name in EVERY}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("WORKERS", 128, 128),
        ("WORKERS", "128", 128),
        ("WORKERS", "1_000", 1000),
        ("WORKERS", 1, 1),
        ("WORKERS", 10_000, 10_000),
        ("WORKERS", 16.0, 16),
        ("WORKERS", "16.0", 16),
        ("SOURCES", "auto", "auto"),
        ("SOURCES", "1e6", 1_000_000),
        ("FIELDS", "50", 50),
        ("FIELDS", 200.0, 200),
        ("TAGS", "0", 0),
        ("TAGS", 20, 20),
        ("LOOP", "bursts", "bursts"),
        ("MESSAGES", 1e4, 10_000),
        ("MESSAGES", "1e4", 10_000),
        ("SEED", 0, 0),
        ("SEED", "0", 0),
        ("SEED", 2**31 - 1, 2**31 - 1),
        ("DURATION", 120, 120.0),
        ("DURATION", "120", 120.0),
        ("DURATION", "120s", 120.0),
        ("DURATION", "2m", 120.0),
        ("DURATION", "1h", 3600.0),
        ("DURATION", 2.5, 2.5),
        ("DURATION", "1500ms", 1.5),
        ("DURATION", 1, 1.0),
        ("DURATION", 86_400, 86_400.0),
        ("RATE", 300, 300.0),
        ("RATE", "300", 300.0),
        ("RATE", 0.5e3, 500.0),
        ("RATE", "1e3", 1000.0),
        ("HEADLINE_RATE", 1e7, 1e7),
        ("CONFIGURATIONS", "optimised", "optimised"),
        ("CONFIGURATIONS", " baseline , optimised ", "baseline,optimised"),
        ("CONFIGURATIONS", "optimised,client-batching,baseline", "optimised,client-batching,baseline"),
        ("CONFIGURATIONS", "baseline, optimised; decode=json.loads", "baseline,optimised;decode=json.loads"),
        (
            "CONFIGURATIONS",
            "optimised;decode=json.loads;point=influxdb-client,optimised",
            "optimised;decode=json.loads;point=influxdb-client,optimised",
        ),
        ("TRANSPORT", "pubsub", "pubsub"),
        ("CODEC", "binary", "binary"),
        ("REPLAY", "", ""),
        ("STACK", "embedded", "embedded"),
        ("RATES", "", ""),
        ("RATES", "1000,25000", "1000,25000"),
        ("RATES", "1e3, 2.5e4", "1000,25000"),
        ("RATES", 25_000, "25000"),
        ("FACTOR", 1.5, 1.5),
        ("P99_STORED_MS", "0.5", 0.5),
        ("SECONDS", "1h", 3600.0),
        ("LOAD", "False", False),
        ("INTERVAL", "500ms", 0.5),
        ("WINDOW", "5m", 300.0),
        ("SETTLE", 0.03, 0.03),
        ("SETTLE", "5%", 0.05),
        ("SETTLE", "0.5 %", 0.005),
        ("SETTLE", "0.5", 0.5),
        ("WITHIN", "10m", 600.0),
        ("WITHIN", 90, 90.0),
        ("MEMRAY", True, True),
        ("MEMRAY", False, False),
        ("MEMRAY", "False", False),
        ("MEMRAY", "true", True),
        ("MEMRAY", 1, True),
        ("MEMRAY", "0", False),
        ("PYSPY", "False", False),
        ("UNVERIFIED", "True", True),
        ("DUET", "True", True),
        ("PERCENTILES", "99.99, 50,99", "50,99,99.99"),
        ("PERCENTILES", 99, "99"),
        ("PERCENTILES", "99.999999,0.1", "0.1,99.999999"),
        ("PERCENTILES", "1,2,3,4,5,6,7,8", "1,2,3,4,5,6,7,8"),
    ],
)
def test_an_allowed_value_is_converted(name: str, value: Any, expected: Any) -> None:
    """Every form that a command line, papermill or a person may give becomes the one value and type meant."""
    actual = read(name, value, EVERY[name])
    assert (expected, type(expected)) == (actual, type(actual))


REFUSED = [
    *(("WORKERS", value) for value in (0, -1, 1_000_001, 16.5, "16.5", "many", "", None, True, [16])),
    *(("WORKERS", value) for value in (float("nan"), float("inf"), "nan", "inf", "1e999")),
    *(("SOURCES", value) for value in (0, -1, "0", 1_000_001, "many", "", None, 1.5)),
    *(("FIELDS", value) for value in (0, 1, "1", -2, 201, 2.5, "wide", "", None)),
    *(("TAGS", value) for value in (-1, "-1", 21, 0.5, "some", "", None)),
    *(("LOOP", value) for value in ("burst", "open", "", "Closed", None)),
    *(("DURATION", value) for value in ("soon", 0, -1, "0s", "500ms", 86_401, "25h", None, True, float("nan"), [1])),
    *(("RATE", value) for value in (-1, 0, 0.5, float("nan"), "nan", float("inf"), "-inf", "fast", None, True, 1e8)),
    *(("HEADLINE_RATE", value) for value in (False, "", "25 000")),
    *(("REPEATS", value) for value in (0, 101, "three")),
    *(("SETTLE", value) for value in (0, "0", 5, "0.4%", "51%", "%", "narrow", "", float("nan"), True, None, [0.05])),
    *(("WITHIN", value) for value in (0, -1, "-1", "0.5s", "25h", "soon", "", True, None)),
    *(("MESSAGES", value) for value in (999, 10**9, 1e4 + 0.5)),
    *(("CONFIGURATIONS", value) for value in ("optimized", "", "baseline,", "baseline,baseline", None, ["baseline"])),
    *(("CONFIGURATIONS", value) for value in ("optimised;", "optimised;decode", "optimised;decode=x", ";", "a;b,")),
    *(("CONFIGURATIONS", value) for value in ("baseline;decode=msgspec,baseline; decode=msgspec",)),
    *(("CONFIGURATIONS", value) for value in ("optimised, optimised", "optimised,decode=json.loads", "Baseline")),
    *(("TRANSPORT", value) for value in ("streams", "", None, 1, ["stream"])),
    *(("CODEC", value) for value in ("msgpack", "JSON")),
    *(("BATCH_SIZE", value) for value in (0, 100_001, False)),
    *(("REPLAY", value) for value in (None, 3, True, "a\0b")),
    *(("STACK", value) for value in ("cloud", "Docker", True)),
    *(("RATES", value) for value in ("fast", "2,1", "1,1", "0", "1,", "1,nan", [1])),
    *(("LINGERS", value) for value in ("5", "5,1", "0,x", "-1,5", "0,1001", "", None)),
    *(("START", value) for value in (0, "low", True)),
    *(("PERCENTILES", value) for value in ("", "50,", "p99", "0", "100", "50,50.0", "nan", True, None, [50])),
    *(("PERCENTILES", value) for value in ("1,2,3,4,5,6,7,8,9", "-1,50", "99,inf")),
    *(("FACTOR", value) for value in (1, 11, "twice", None)),
    *(("P99_STORED_MS", value) for value in (0, -1, "soon", float("nan"))),
    *(("SECONDS", value) for value in (0, "0.5", "25h", "forever", True)),
    *(("LOAD", value) for value in ("yes", 2, None)),
    *(("INTERVAL", value) for value in (0, 0.1, "2m", "often", True, None)),
    *(("WINDOW", value) for value in (4, "11m", "wide", True)),
    *(("MEMRAY", value) for value in ("yes", "", 2, None, "on")),
    *(("PYSPY", value) for value in ("no", 2, None)),
    *(("UNVERIFIED", value) for value in ("no", 2, None)),
    *(("DUET", value) for value in ("no", 2, None)),
    *((name, value) for name in ("A", "B") for value in (None, 3, "two\nlines", ["x"])),
    *(("FORCE", value) for value in ("yes", "", 2, None)),
    *((name, value) for name in ("BASE", "HEAD") for value in ("", "--all", "two words", "a\nb")),
    *(("CONFIGURATION", value) for value in ("", "fastest", "optimised,decode=orjson")),
    *(("MARGIN", value) for value in (0, -0.05, "some", True)),
    *(("NOTEBOOK", value) for value in ("", "../benchmark", "a\nb", None, 3)),
    *(("LIKE", value) for value in ("runs/x", "a\nb", None, 3)),
    *(("SEED", value) for value in (-1, 2**31, False, "x")),
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=repr)
def test_any_other_value_is_refused_with_what_is_allowed(name: str, value: Any) -> None:
    """The refusal names the parameter, repeats the value and says what would be right."""
    with pytest.raises(SettingsError) as caught:
        read(name, value, EVERY[name])
    assert f"{name}={value!r} is not allowed: expected {EVERY[name].allowed}" == str(caught.value)


@pytest.mark.parametrize("experiment", ["benchmark", "ablation"])
def test_repeats_may_be_left_to_the_lab(experiment: str) -> None:
    """`auto` is a value where ratios can settle: rounds are bounded then, and what no ratio waits for is short."""
    parameters = OF_NOTEBOOKS[experiment]
    rule = parameters.rules()["REPEATS"]
    assert ["auto", 7] == [read("REPEATS", value, rule) for value in ("auto", "7")]
    auto, seven = parameters(REPEATS="auto"), parameters(REPEATS=7)  # type: ignore[call-arg]
    assert (True, 30, 4) == (auto.automatic, auto.rounds, auto.repeats)  # type: ignore[attr-defined]
    assert (False, 7, 7) == (seven.automatic, seven.rounds, seven.repeats)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("REPEATS=many", "REPEATS='many' is not allowed: expected a whole number from 1 to 100, or auto"),
        ("SETTLE=0", "SETTLE='0' is not allowed: expected a share from 0.005 to 0.5, as 0.05 or \"5%\""),
        ("WITHIN=-1", 'WITHIN=\'-1\' is not allowed: expected seconds from 1 to 86,400, as 600, "90s" or "10m"'),
    ],
)
def test_a_wrong_word_about_settling_is_one_line(word: str, message: str) -> None:
    """Each is refused before anything starts, with what is allowed."""
    with pytest.raises(SettingsError) as caught:
        from_words([word], Benchmark.rules())
    assert message == str(caught.value)


def test_a_sweep_offers_rates() -> None:
    """A closed loop keeps none, so there is nothing to raise."""
    with pytest.raises(SettingsError, match=r"^LOOP='closed' is not allowed: expected one of constant, .*, ramp$"):
        from_words(["LOOP=closed"], OF_NOTEBOOKS["sweep"].rules())


@pytest.mark.parametrize("more", [{"FIELDS": 50}, {"TAGS": 2}])
@pytest.mark.parametrize("experiment", ["benchmark", "ablation", "sweep", "regression"])
def test_the_binary_codec_holds_the_originals_message(experiment: str, more: dict[str, int]) -> None:
    """Its layout has no room for more, and one line says so before anything starts."""
    with pytest.raises(SettingsError, match=r"^CODEC='binary' with FIELDS=\d+ and TAGS=\d: expected json, since"):
        OF_NOTEBOOKS[experiment](CODEC="binary", **more)  # type: ignore[call-arg]


def test_sources_are_as_many_as_workers_unless_said() -> None:
    """The load plays one source for each worker, or as many as SOURCES says; the message is as asked for."""
    loads = [
        plans.load_of(Benchmark(WORKERS=7, SOURCES=sources, FIELDS=50, TAGS=3, SEED=9)) for sources in ("auto", 1000)
    ]
    assert [(7, 7), (7, 1000)] == [(load.workers, load.emitters) for load in loads]
    assert {(50, 3, 9, "json")} == {(load.fields, load.tags, load.seed, load.codec) for load in loads}


def test_a_sweep_has_a_whole_number_of_repeats() -> None:
    """Its climb adapts by itself."""
    with pytest.raises(SettingsError, match=r"REPEATS='auto' is not allowed: expected a whole number from 1 to 100$"):
        from_words(["REPEATS=auto"], OF_NOTEBOOKS["sweep"].rules())


def test_there_is_a_refusal_for_every_parameter() -> None:
    """No parameter lets everything through."""
    assert set(EVERY) == {name for name, _ in REFUSED}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("WORKERS", "a whole number from 1 to 1,000,000"),
        ("DURATION", 'seconds from 1 to 86,400, as 10, "120s" or "2m"'),
        ("INTERVAL", 'seconds from 0.2 to 60, as 1, "500ms" or "2s"'),
        ("RATE", "a number from 1 to 10,000,000"),
        (
            "CONFIGURATIONS",
            "different names out of baseline, client-batching, optimised, joined by commas;"
            " optimised;decode=json.loads switches an axis: receive=redis-py|socket-reads, decode=json.loads|msgspec,"
            " point=influxdb-client|line-bytes, write=client-synchronous|client-batching|post-batches;"
            " contenders/mine, or any path of a folder with a contender.toml, is a consumer of your own",
        ),
        ("STACK", "one of auto, external, docker, native, embedded"),
        ("TRANSPORT", "one of pubsub, stream"),
        ("CODEC", "one of json, binary"),
        ("MEMRAY", "True or False"),
    ],
)
def test_what_is_allowed_is_said_in_full(name: str, words: str) -> None:
    """Bounds are numbers as people write them, and choices are all listed."""
    assert words == EVERY[name].allowed


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("WORKER", " (did you mean WORKERS?)"),
        ("CONFIGURATION", " (did you mean CONFIGURATIONS?)"),
        ("BATCHSIZE", " (did you mean BATCH_SIZE?)"),
        ("XYZZY", ""),
    ],
)
def test_an_unknown_parameter_is_refused_with_a_near_miss(name: str, hint: str) -> None:
    """papermill would only warn; here a name that does nothing is an error that lists all there are."""
    with pytest.raises(SettingsError) as caught:
        check({name: 1}, Benchmark)
    assert f"{name} is not a parameter{hint}: there are {', '.join(Benchmark.rules())}" == str(caught.value)


def test_a_notebooks_own_variables_are_passed_over() -> None:
    """Lower-case, mixed and underscored names of `globals()` are no parameters, whatever they hold."""
    variables = {"lab": object(), "Lab": 1, "__name__": "__main__", "_": 3, "_I": 1, "__": "", "In": [], "_WORKERS": 0}
    assert Benchmark(WORKERS=4) == check({**variables, "WORKERS": "4"}, Benchmark)


@pytest.mark.parametrize("name", ["workers", "Workers", "foo", "DURATIONS", "lab"])
def test_what_papermill_sets_must_be_a_parameter(name: str) -> None:
    """`-p workers 4` and `-p foo 3` are errors with the nearest name, not a measurement with the default."""
    injected = f'# Parameters\n{name} = 4\nDURATION = "2s"\n'
    history = ["", "WORKERS: int = 16  # sources", injected, "lab = open(check(globals(), Benchmark))"]
    with pytest.raises(SettingsError, match=f"^{name} is not a parameter"):
        check({"In": history, "WORKERS": 16, name: 4, "DURATION": "2s"}, Benchmark)


def test_what_papermill_sets_rightly_counts() -> None:
    """Its cell is no error by itself; of two, as after a mended one was run again, the latter counts."""
    history = ["", "# Parameters\nworker = 1\n", "# Parameters\nWORKERS = 4\n", "# Parameters of mine\nx = 1"]
    assert Benchmark(WORKERS=4) == check({"In": history, "WORKERS": 4, "worker": 1}, Benchmark)


@pytest.mark.parametrize("value", [4, 4.0, "4", True])
def test_a_parameter_in_other_letters_is_refused(value: object) -> None:
    """`workers = 4` in a cell does nothing, so it is named with what was meant."""
    with pytest.raises(SettingsError, match=r"^workers is not a parameter \(did you mean WORKERS\?\)"):
        check({"workers": value}, Benchmark)


def test_scratch_variables_are_nobodys_business() -> None:
    """What a person keeps beside the parameters, also under such a name but with no plain value, is passed over."""
    own = {"x": 3, "name": "n", "stack": object(), "rate": [1, 2], "wanted_workers": 4, "codecs": "json", "seconds": 3}
    assert Benchmark() == check(own | {"In": ["", "x = 3\n# Parameters\ny = 1"]}, Benchmark)


def test_nothing_given_is_the_defaults() -> None:
    """Without parameters, the defaults stand."""
    assert Benchmark() == check({}, Benchmark)


def test_the_defaults_pass_their_own_rules() -> None:
    """Every default is allowed, and already what its rule makes of it."""
    for parameters in OF_NOTEBOOKS.values():
        assert parameters() == check(asdict(parameters()), parameters)


def test_every_parameter_has_a_rule_and_every_rule_a_parameter() -> None:
    """The dataclasses and the table of rules name the same parameters."""
    for parameters in OF_NOTEBOOKS.values():
        assert {field.name for field in fields(parameters)} == set(parameters.rules())
    assert set(RULES) <= set(EVERY)


def test_the_names_of_the_configurations_keep_their_order() -> None:
    """`names` is the list that CONFIGURATIONS spells."""
    assert check({"CONFIGURATIONS": "optimised, baseline"}, Benchmark).names == ["optimised", "baseline"]
    switched = check({"CONFIGURATIONS": "baseline,optimised; decode=json.loads"}, Benchmark).names
    assert ["baseline", "optimised,decode=json.loads"] == switched


# -- words of a command line -----------------------------------------------------------------------------------------


def test_words_are_read_like_values() -> None:
    """`NAME=VALUE` words become converted values, and only the first `=` divides."""
    words = ["WORKERS=128", "DURATION=120s", "MEMRAY=False", "CONFIGURATIONS=optimised"]
    expected = {"WORKERS": 128, "DURATION": 120.0, "MEMRAY": False, "CONFIGURATIONS": "optimised"}
    assert expected == from_words(words, EVERY)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("WORKERS", "'WORKERS' is not a parameter: expected NAME=VALUE, such as WORKERS=128"),
        ("", "'' is not a parameter: expected NAME=VALUE, such as WORKERS=128"),
        ("workers=3", "workers is not a parameter (did you mean WORKERS?): there are "),
        ("duration=2m", "duration is not a parameter (did you mean DURATION?): there are "),
        ("WORKERS =3", "WORKERS  is not a parameter (did you mean WORKERS?): there are "),
        ("=3", " is not a parameter: there are "),
        ("WORKERS=", "WORKERS='' is not allowed: expected a whole number"),
        ("DURATION=soon", "DURATION='soon' is not allowed: expected seconds"),
        ("CONFIGURATIONS=optimised=1", "CONFIGURATIONS='optimised=1' is not allowed: expected different names"),
    ],
)
def test_a_wrong_word_is_refused(word: str, message: str) -> None:
    """A word without `=`, in lower case, or with a value that is not allowed stops everything, in words."""
    with pytest.raises(SettingsError) as caught:
        from_words(["REPEATS=1", word], EVERY)
    assert str(caught.value).startswith(message)


def test_only_the_notebooks_own_parameters_are_known() -> None:
    """A rule alone makes no parameter: the notebook must have it, and the list says which it has."""
    with pytest.raises(SettingsError, match=r"^SEED is not a parameter: there are WORKERS, RATE$"):
        converted({"SEED": 1}, {name: EVERY[name] for name in ("WORKERS", "RATE")})


# -- the notebook ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=OF_NOTEBOOKS)
def cell(request: pytest.FixtureRequest) -> tuple[type[Parameters], dict[str, dict[str, Any]]]:
    """A notebook's parameters, as the lab knows them and as papermill sees the cell."""
    seen = papermill.inspect_notebook(str(NOTEBOOKS / f"{request.param}.ipynb"))
    return OF_NOTEBOOKS[request.param], dict(seen)


Cell = tuple[type[Parameters], dict[str, dict[str, Any]]]


def test_the_notebooks_defaults_are_the_dataclasses(cell: Cell) -> None:
    """The same parameters with the same values stand in the notebook and in its dataclass."""
    parameters, seen = cell
    defaults = {name: ast.literal_eval(parameter["default"]) for name, parameter in seen.items()}
    assert asdict(parameters()) == defaults
    assert parameters() == check(defaults, parameters)


def test_every_parameter_has_a_type_and_a_help_text(cell: Cell) -> None:
    """`papermill --help-notebook` tells each parameter's type, as given or as converted, and what it is for."""
    parameters, seen = cell
    for name, parameter in seen.items():
        values = ast.literal_eval(parameter["default"]), getattr(parameters(), name)
        assert parameter["inferred_type_name"] in {type(value).__name__ for value in values}, name
        assert len(parameter["help"]) > 5, name


def test_every_choice_is_named_in_the_help_text(cell: Cell) -> None:
    """Where a parameter is one of a few words, its help lists them."""
    for name in {"STACK", "TRANSPORT", "CODEC", "LOOP"} & set(cell[1]):
        for choice in cell[0].rules()[name].allowed.removeprefix("one of ").split(", "):
            assert choice in cell[1][name]["help"]
