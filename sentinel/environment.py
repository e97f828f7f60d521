"""The environment: what it says, and what the programs that we start find in it. The only reader of `os.environ`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sentinel.settings import BusSettings, StoreSettings


def environment() -> Mapping[str, str]:
    """This process's environment."""
    return os.environ


@dataclass(frozen=True)
class LabSettings:
    """What a runner tells the notebook that it executes, through the environment."""

    run_id: str = ""
    progress: str = ""
    """File that holds what the notebook does now, or empty."""
    resumes: bool = False
    """Whether the run is there already, and goes on."""

    RUN_ID = "SENTINEL_RUN_ID"
    PROGRESS = "SENTINEL_PROGRESS"
    RESUMES = "SENTINEL_RESUMES"
    STRICT = "SENTINEL_REAL_SERVERS"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> LabSettings:
        """`SENTINEL_RUN_ID`, `SENTINEL_PROGRESS` and `SENTINEL_RESUMES`, empty where unset.

        Args:
            env: the environment to read; this process's by default.
        """
        env = environment() if env is None else env
        resumes = bool(env.get(cls.RESUMES))
        return cls(run_id=env.get(cls.RUN_ID, ""), progress=env.get(cls.PROGRESS, ""), resumes=resumes)


def cache_folder(env: Mapping[str, str] | None = None) -> Path:
    """The folder for what can be made again: `sentinelstream-lab` under XDG_CACHE_HOME, else under ~/.cache.

    Args:
        env: the environment to read; this process's by default.
    """
    env = environment() if env is None else env
    place = Path(env.get("XDG_CACHE_HOME", ""))
    return (place if place.is_absolute() else Path.home() / ".cache") / "sentinelstream-lab"


def step_summary(env: Mapping[str, str] | None = None) -> Path | None:
    """The file whose Markdown GitHub Actions shows of a step.

    Args:
        env: the environment to read; this process's by default.

    Returns:
        GITHUB_STEP_SUMMARY; None where it is unset or empty.
    """
    env = environment() if env is None else env
    return Path(name) if (name := env.get("GITHUB_STEP_SUMMARY", "")) else None


def announce(run_id: str, progress: Path, *, resumes: bool = False) -> None:
    """Tell the notebooks that this process will execute about their run.

    Args:
        run_id: the run that they are.
        progress: the file to write their progress to.
        resumes: whether the run is there already, and goes on.
    """
    os.environ[LabSettings.RUN_ID] = run_id
    os.environ[LabSettings.PROGRESS] = str(progress)
    os.environ[LabSettings.RESUMES] = "1" if resumes else ""


def named_in_environment(names: Iterable[str], env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The parameters that the environment gives, as in `WORKERS=128 sentinel run benchmark`.

    Args:
        names: parameters to look for.
        env: the environment to read; this process's by default.

    Returns:
        Values by name; an empty value counts as unset.
    """
    env = environment() if env is None else env
    # GNU screen, which sets STY, numbers its windows in WINDOW.
    taken = {"WINDOW"} if "STY" in env else set()
    return {name: env[name] for name in names if env.get(name) and name not in taken}


def external_urls(env: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """The addresses of an external stack.

    Args:
        env: the environment to read; this process's by default.

    Returns:
        (REDIS_URL, INFLUX_URL); None where neither is set.

    Raises:
        SettingsError: only one of the two is set.
    """
    env = environment() if env is None else env
    urls = env.get("REDIS_URL", ""), env.get("INFLUX_URL", "")
    if all(urls):
        return urls
    if any(urls):
        missing = "INFLUX_URL" if urls[0] else "REDIS_URL"
        raise SettingsError(
            f"an external stack needs REDIS_URL and INFLUX_URL: {missing} is not set; set it, or take STACK=native or"
            " STACK=embedded, which heed neither"
        )
    return None


def stack_environment(bus: BusSettings, store: StoreSettings) -> dict[str, str]:
    """The environment for a program that is to use this bus and this store."""
    return child_environment(
        REDIS_URL=bus.url,
        INFLUX_URL=store.url,
        INFLUX_TOKEN=store.token,
        INFLUX_ORG=store.org,
        INFLUX_BUCKET=store.bucket,
        INFLUX_DURABILITY=store.durability,
    )


def limit_numpy_threads() -> None:
    """Keep numpy's algebra from starting threads of its own: nobody uses them (docs/measurements.md: openblas)."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def child_environment(**extra: str | int | Path) -> dict[str, str]:
    """The environment for a program that we start.

    Args:
        extra: variables that are set besides those of this process.
    """
    return {**os.environ, **{name: str(value) for name, value in extra.items()}}
