"""A benchmark's answer in sentences, made of its data; what decides in each is set off. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.presentation.phrase import Phrase, Strong, joined, phrase
from sentinel.lab.statistics import published, regressions
from sentinel.lab.statistics.compare import BAND, Word
from sentinel.lab.statistics.reliability import accounted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.experiments.benchmark.record import Answer, CommonLoad, Headline, Shortfall
    from sentinel.lab.statistics.compare import Verdict

ACKNOWLEDGED = "Latency to the store's acknowledgement ({tail}, {rate} msg/s) of {new}"


def phrases(answer: Answer) -> list[Phrase]:
    """The answer in sentences.

    Args:
        answer: The answer as data.

    Returns:
        A phrase each for validity, capacity, CPU, latency, memory, what got worse, and the headline; of a single
        configuration for validity and the headline.
    """
    sentences = [accounted(answer.validity)]
    if answer.new != answer.old:
        sentences += [
            _compared(f"Capacity of {answer.new}", answer.verdicts["capacity"], answer.old),
            _compared(f"CPU per message of {answer.new}", answer.verdicts["capacity_cpu_us"], answer.old),
            *([_latency(answer, answer.load)] if answer.load else []),
            *([_memory(answer, *answer.bytes)] if answer.bytes else []),
            _regressions(answer),
        ]
    return [*sentences, _headline(answer.new, answer.headline)]


HOW = {
    Word.BETTER: "{what} is {word} than {old}'s: {ratio} ({beyond}).",
    Word.WORSE: "{what} is {word} than {old}'s: {ratio} ({beyond}).",
    Word.NO_DIFFERENCE: "{what}: {word} from {old}'s beyond ± {margin} % ({ratio}; {beyond}).",
    Word.UNSTABLE: "{what}: {word}, so that it is not known whether it differs from {old}'s ({ratio}; {beyond}).",
    Word.UNRESOLVED: "{what}: {word} whether it differs from {old}'s ({ratio}; {beyond}).",
}
"""What is said of a measure, by word."""


def _compared(what: str, verdict: Verdict, old: str) -> Phrase:
    if verdict.word == Word.CANNOT_TELL or not (verdict.ratio.of_rounds or verdict.ratio.value is None):
        return _compared_before(what, verdict, old)
    if verdict.ratio.value is None:
        return phrase("{what}: not compared, for no round has a valid trial of both.", what=what)
    return phrase(
        HOW[verdict.word],
        what=what,
        word=Strong(verdict.word),
        old=old,
        margin=f"{100 * BAND:.0f}",
        ratio=formatting.bare(verdict.ratio),
        beyond=formatting.because(verdict),
    )


def _compared_before(what: str, verdict: Verdict, old: str) -> Phrase:
    """Of a run that was made before rounds were compared: as it said it then."""
    how = {
        Word.CANNOT_TELL: "{what}: {word} whether it differs from {old}'s{why} ({ratio}; {beyond}).",
        Word.NO_DIFFERENCE: "{what}: {word} from {old}'s beyond the noise floor ({ratio}; {beyond}).",
    }
    return phrase(
        how.get(verdict.word, "{what} is {word} than {old}'s: {ratio}, n = {n} each ({beyond})."),
        what=what,
        word=Strong(verdict.word),
        old=old,
        why=", for run-to-run variation hides it" if verdict.hidden else "",
        ratio=formatting.ratio(verdict.ratio),
        n=verdict.ratio.n,
        beyond=formatting.beyond(verdict.band, control=verdict.control),
    )


def _latency(answer: Answer, load: CommonLoad) -> Phrase:
    """Latency to the store's acknowledgement, or which configuration did not sustain the load."""
    what = ACKNOWLEDGED.format(tail=load.tail, rate=formatting.count(load.rate), new=answer.new)
    short = " and ".join(_short_of(item, load.rate) for item in load.short)
    if not load.compared:
        return phrase("{what}: not compared: {short}.", what=what, short=short)
    compared = _compared(what, answer.verdicts[f"stored_{load.tail}"], answer.old)
    return joined(" Left out: ", [compared, f"{short}."]) if short else compared


def _short_of(short: Shortfall, rate: float) -> str:
    """`baseline did not sustain 600 msg/s in 2 of 3 trials`."""
    trials = f"{short.trials} of {short.of} trials"
    return f"{short.configuration} did not sustain {formatting.count(rate)} msg/s in {trials}"


def reduction(new: float, old: float) -> float:
    """Percent by which `new` is less than `old`; negative where it is more.

    Args:
        new: A value of the new configuration.
        old: The value of the old one in the same unit, not zero.
    """
    return 100 * (1 - new / old)


def _memory(answer: Answer, new: float, old: float) -> Phrase:
    less = reduction(new, old)
    return phrase(
        "{new} allocates {after} bytes per message against {before} with {old}: {change}, {bar} the {published} % that"
        " SentinelStream published (memray, one trial each).",
        new=answer.new,
        after=formatting.count(new),
        before=formatting.count(old),
        old=answer.old,
        change=Strong(f"{less:.1f} % less") if less >= 0 else f"{-less:.1f} % more",
        bar="beyond" if published.REDUCTION.met_by(less) else "short of",
        published=published.REDUCTION,
    )


# -- what got worse --------------------------------------------------------------------------------------------------


def _regressions(answer: Answer) -> Phrase:
    """What got worse, with its ratio, or that nothing did; and how many measures were looked at."""
    judged = [answer.verdicts[name] for name in answer.looked_at]
    inconclusive = [item.word for item in judged if not item.settled]
    count = f"{formatting.counted(len(judged), 'measure')} looked at"
    rest = f", {len(inconclusive)} of them inconclusive" if inconclusive else ""
    ends = {"new": answer.new, "old": answer.old, "count": count, "rest": rest, "word": Strong(Word.WORSE)}
    if worse := [item for item in judged if item.word == Word.WORSE]:
        named = joined("; ", map(_named, worse))
        return phrase("Worse than {old}: {named} ({count}{rest}).", **ends, named=named)
    if _single(judged):
        return _of_single_trials(answer, judged)
    if len(inconclusive) == len(judged):
        unknown = Strong(max(inconclusive, key=inconclusive.count, default=Word.UNRESOLVED))
        return phrase(
            "Whether anything got {word} from {old} to {new}: {unknown} ({count}{rest}).", **ends, unknown=unknown
        )
    unsure = f" ({len(inconclusive)} of them inconclusive)" if inconclusive else ""
    return phrase("None of the {count} was seen to get {word} than with {old}{unsure}.", **ends, unsure=unsure)


def _named(verdict: Verdict) -> Phrase:
    title, factor = regressions.key(verdict.measure).title, Strong(formatting.times(verdict.ratio.value))
    return phrase(
        "{title}, {factor}{interval}", title=title, factor=factor, interval=formatting.interval(verdict.ratio)
    )


def _single(judged: Sequence[Verdict]) -> bool:
    """Whether what varies was measured once on one side or the other, throughout."""
    repeated = [item.ratio.n for item in judged if regressions.key(item.measure).repeated]
    return bool(repeated) and max(repeated) == 1


def _of_single_trials(answer: Answer, judged: Sequence[Verdict]) -> Phrase:
    """What single trials say: nothing, but for what varies so little that one is enough."""
    measures = [regressions.key(item.measure) for item in judged]
    known = " and ".join(measure.title for measure in measures if not measure.repeated)
    return phrase(
        "One trial each of {old} and {new}: there is no interval, so nothing{but} can be judged;"
        " take REPEATS={needed} or more.",
        old=answer.old,
        new=answer.new,
        but=f" but {known}" if known else "",
        needed=max(item.ratio.needed for item in judged) or 3,
    )


# -- headline --------------------------------------------------------------------------------------------------------


def _headline(name: str, values: Headline) -> Phrase:
    rate, lost = f"{formatting.count(values.rate)} msg/s", f"lost {formatting.count(values.lost)} messages"
    if values.trials and not values.sustained:
        return Phrase([
            f"{name} did not sustain {rate} in any of {values.trials} trials, {lost}: its latencies are those of a"
            " growing queue, and not compared with what was published."
        ])  # fmt: skip
    if not values.latencies:
        return Phrase([f"At {rate}: no valid trial of {name}, so no answer."])
    often = "" if values.sustained == values.trials else f" in {values.sustained} of {values.trials} trials"
    ms, tail = values.latencies, values.tail
    if "e2e" not in ms:  # of a contender that keeps no record
        inside = "what happens inside is not known"
        return Phrase([f"{name} sustained {rate}{often}, {lost}: stored {tail} {ms['stored']:.1f} ms; {inside}."])
    figures = (
        f"internal {tail} {ms['internal']:.2f} ms, e2e {tail} {ms['e2e']:.1f} ms, stored {tail} {ms['stored']:.1f} ms"
    )
    held = values.rate >= published.HIGHEST_RATE and tail == "p99"
    return Phrase([f"{name} sustained {rate}{often}, {lost}: {figures}.{_against_original(ms) if held else ''}"])


def _against_original(ms: dict[str, float]) -> str:
    bars = {kind: published.LATENCIES[f"{kind}_p99"] for kind in ("internal", "e2e")}
    met = sum(bar.met_by(ms[kind]) for kind, bar in bars.items())
    how = {2: "Both published p99 figures are met", 1: "One of the two published p99 figures is met"}
    verdict = how.get(met, "Neither published p99 figure is met")
    return f" {verdict} (internal {bars['internal']} ms, e2e {bars['e2e']} ms)."
