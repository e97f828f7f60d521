"""The contenders of one run: made ready before anything starts, verified before they are timed, given their trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import structs

from sentinel.errors import BusError, StoreError
from sentinel.lab.contenders import catalog, program
from sentinel.lab.contenders.entry import contenders
from sentinel.lab.contenders.tapped import TappedTrial
from sentinel.lab.contenders.trial import ContenderTrial
from sentinel.lab.contenders.verification import checks
from sentinel.lab.contenders.verification.checks import Check, ContenderData
from sentinel.lab.contenders.verification.verify import verify
from sentinel.lab.resuming import sameness
from sentinel.lab.run.trial_record import MEMORY, PROFILE, UNTAPPED, Outcome
from sentinel.lab.trials.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sentinel.lab.contenders.contender import Contender
    from sentinel.lab.parameters import Common
    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.run.trial_record import Plan
    from sentinel.lab.stack import Stack


class Contest:
    """All contenders of one run; none in most."""

    def __init__(self, parameters: Common) -> None:
        self._contenders = contenders(parameters)
        self._all_timed = getattr(parameters, "UNVERIFIED", False)
        self.described: dict[str, ContenderData] = {
            name: _described(contender) for name, contender in self._contenders.items()
        }
        """What the record says of each, by name."""

    def recall(self, run_id: str, earlier: Mapping[str, ContenderData]) -> None:
        """Take over what an earlier session of the run found out by verification.

        Args:
            run_id: The run's.
            earlier: What its record says of each, by name; empty in a new run.

        Raises:
            RunError: one is not what it was.
        """
        for name, before in earlier.items():
            now = self.described[name]
            now.verified = before.verified
            sameness.require(run_id, {name: structs.asdict(before)}, {name: structs.asdict(now)})

    @property
    def refused(self) -> set[str]:
        """Names of those that are not timed, since they failed their verification."""
        return set() if self._all_timed else {n for n, data in self.described.items() if checks.failure(data.verified)}

    def is_due(self, plan: Plan) -> bool:
        """Whether the plan's contender is still to be verified."""
        contender = self.described.get(plan.configuration)
        return contender is not None and not contender.verified

    def verify(
        self, name: str, stack: Stack, folder: Path, supervisor: Supervisor, check: Callable[[], object]
    ) -> None:
        """Try what a contender promises; see `verification.verify`."""
        try:
            values = verify(self._contenders[name], stack, folder / name, supervisor, check=check)
        except (BusError, StoreError) as error:
            check()  # the end of a server says more
            values = [Check("ready", "", kept=False, detail=str(error))]
        self.described[name].verified = values

    def trial(
        self, plan: Plan, stack: Stack, folder: Path, supervisor: Supervisor, run_id: str, *, check: Callable[[], None]
    ) -> Trial:
        """The trial of a plan; where there are contenders, whatever is timed passes a tap.

        Args:
            plan: What to do.
            stack: Bus and store.
            folder: Receives everything raw.
            supervisor: Starts its processes.
            run_id: The run that it belongs to, in the tag of its points.
            check: Called while something is waited for; what it raises ends the trial.
        """
        given = plan, stack, folder, supervisor, run_id
        if (contender := self._contenders.get(plan.configuration)) is not None:
            if (why := checks.failure(self.described[contender.name].verified)) and not self._all_timed:
                return NotTimed(why, *given, check=check)
            return ContenderTrial(contender, *given, check=check)
        if self._contenders and plan.kind not in (MEMORY, PROFILE) and not plan.label.endswith(UNTAPPED):
            return TappedTrial(*given, check=check)
        return Trial(*given, check=check)


class NotTimed(Trial):
    """In place of the trial of a contender that failed its verification: an invalid outcome that says why."""

    def __init__(self, why: str, *given: Any, check: Callable[[], None]) -> None:
        super().__init__(*given, check=check)
        self._why = why

    def measure(self) -> None:
        """See Trial: nothing is started."""
        self.outcome.problems.append(
            f"{self.plan.configuration} failed its verification; it is not timed unless UNVERIFIED=True: {self._why}"
        )

    def conclude(self) -> Outcome:
        """See Trial: there is nothing to account for."""
        return self.keep()


def _described(contender: Contender) -> ContenderData:
    manifest = contender.manifest
    return ContenderData(
        folder=catalog.shown(contender.folder),
        command=list(manifest.command),
        version=program.version(contender),
        speaks=list(manifest.speaks),
        relaxes=list(manifest.relaxes),
    )
