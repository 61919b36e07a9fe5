"""``denas compare``: settings and results of several runs, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from denas_core.cli.arguments import JsonOption
from denas_core.cli.completion import runs
from denas_core.cli.output import cell, print_json, print_table, print_text
from denas_core.cli.trained_tables import print_trained
from denas_core.cli.trial_tables import KEY_DIGITS, TrialRow, metric_cell, print_trial_table
from denas_core.text import number, printable
from denas_core.values.latency import with_interval
from denas_core.values.metrics import shown_metrics

RunsArgument = Annotated[
    list[Path], typer.Argument(metavar="RUN RUN...", help="Run directories.", autocompletion=runs)
]


def compare(runs: RunsArgument, json_: JsonOption = False) -> None:
    """Compare several runs.

    Prints settings, results, what repeats, and the best candidates of all the runs together.
    """
    from denas_core.results.compare import compare_runs, read_runs

    document = compare_runs(read_runs(runs))
    if json_:
        print_json(document)
        return
    if len(document["runs"]) > 1:
        _print_comparison(document)
    for run in document["runs"]:
        if run["machines"] is not None:
            _print_machines(run)


def _print_comparison(document: Mapping[str, Any]) -> None:
    _print_runs(document["runs"])
    first = document["runs"][0]["run"]
    _print_lines(f"Settings that differ from {first}", document["differences"], _settings)
    _print_lines(f"Tables of trials, against {first}", document["tables"], _table)
    _print_lines("Architectures that both scored", document["shared"], _shared)
    if races := [run for run in document["runs"] if run["race"]]:
        _print_lines("Races of finalists", races, lambda run: [run["race"]["sentence"]])
    if document["trained"] is not None:
        paths = [run["run"] for run in document["runs"]]
        print_trained(document["trained"], dict(zip(paths, _short_names(paths), strict=True)))
    if document["not_comparable"]:
        _write(f"\nNo ranking over all runs: {document['not_comparable']}")
    else:
        _print_joint(document["joint"])


def _print_runs(runs: Sequence[Mapping[str, Any]]) -> None:
    from denas_core.text import seconds

    components = list(
        dict.fromkeys(name for run in runs if run["best"] for name in run["best"]["components"])
    )
    rows: list[list[object]] = [
        [name, *(run[name] for run in runs)] for name in ("space", "score", "strategy")
    ]
    rows.append(["weights", *(_pairs(run["weights"]) for run in runs)])
    rows.append(["constraints", *(", ".join(run["constraints"]) or "none" for run in runs)])
    # As text: they are settings, not quantities.
    rows += [[name, *(str(run[name]) for run in runs)] for name in ("budget", "seed", "device", "threads")]
    if any(run["latency_is"] for run in runs):
        rows.append(["latency", *(run["latency_is"] for run in runs)])
    packages = list(dict.fromkeys(name for run in runs for name in run["distributions"]))
    rows += [[name, *(run["distributions"].get(name) for run in runs)] for name in packages]
    rows += [[state, *(run["trials"][state] for run in runs)] for state in runs[0]["trials"]]
    rows.append(["active time", *(seconds(run["active_seconds"]) for run in runs)])
    bests = [run["best"] or {"components": {}, "metrics": {}} for run in runs]
    rows.append(["best", *(str(best["key"])[:KEY_DIGITS] if "key" in best else None for best in bests)])
    rows += [[f"  {name}", *(best["components"].get(name) for best in bests)] for name in components]
    rows += [
        [f"  {name}", *(metric_cell(best["metrics"], best.get("latency"), name) for best in bests)]
        for name in shown_metrics(name for best in bests for name in best["metrics"])
        if name not in components
    ]
    names = _short_names([run["run"] for run in runs])
    print_table(["quantity", *names], rows, prose=names, in_parts=True)
    for run in runs:
        if run["not_ranked"]:
            _write(f"{run['run']} has no ranking: {run['not_ranked']}")


def _print_lines(title: str, items: Sequence[Mapping[str, Any]], describe: Any) -> None:
    _write(f"\n{title}")
    for item in items:
        name = item.get("run") or " and ".join(item["runs"])
        for line in describe(item):
            _write(f"  {name}: {line}")


def _settings(item: Mapping[str, Any]) -> list[str]:
    return [*item["config"], *item["installation"]] or ["none"]


def _table(item: Mapping[str, Any]) -> list[str]:
    count = item["equal_trials"]
    if item["identical"]:
        return [f"identical, {count} trials"]
    if "first_difference" not in item:
        other = abs(item["longer_by"])
        return [f"the same {count} trials, then {other} {'more' if item['longer_by'] > 0 else 'fewer'}"]
    found = item["first_difference"]
    what = ", ".join(found["in"])
    if "key" in found["in"]:
        what = f"its architecture ({found['keys'][0][:12]} and {found['keys'][1][:12]})"
    elif "state" in found["in"]:
        what = f"what became of it ({' and '.join(found['states'])})"
    elif found["components"]:
        what = "; ".join(f"{name}: {cell(a)} and {cell(b)}" for name, (a, b) in found["components"].items())
    return [f"differ from trial {found['trial']} on, which differs in {what}"]


def _shared(item: Mapping[str, Any]) -> list[str]:
    count = item["architectures"]
    if count == 0:
        return ["none"]
    if item["equal"] == count:
        return [f"{count}, all with identical components"]
    taus = ", ".join(
        f"{name} {'-' if tau is None else f'{tau:.2f}'}" for name, tau in item["kendall_tau"].items()
    )
    seeds = "equal seeds" if item["same_seed"] else "different seeds"
    return [f"{count}, {item['equal']} with identical components ({seeds}); Kendall tau: {taus}"]


def _print_joint(joint: Mapping[str, Any]) -> None:
    _write(f"\nBest of all {joint['members']} scored candidates")
    is_relative = joint["score_is"] != "absolute"
    print_trial_table(
        [
            TrialRow(
                first={
                    "#": row["rank"],
                    "front": "*" if row["on_front"] else "",
                    "key": row["key"][:KEY_DIGITS],
                    "score*" if is_relative else "score": row["score"],
                    "run": ", ".join(row["runs"]),
                },
                components=row["components"],
                metrics=row["metrics"],
                latency=row["latency"],
            )
            for row in joint["top"]
        ],
        more="--json",
    )
    if is_relative:
        _write(
            f"score*: sum of log-ranks against the {joint['sampled']} random networks of all these runs; see "
            "docs/de-score.md"
            if joint["sampled"]
            else "score*: sum of log-ranks among the candidates of all these runs, 0 at best"
        )
    shares = ", ".join(f"{count} from {run}" for run, count in joint["front"]["by_run"].items())
    _write(f"Pareto front of all ({', '.join(joint['objectives'])}): {joint['front']['size']}; {shares}")
    if not joint["same_seed"]:
        _write(
            "note: components depend on the seed, and the seeds differ: small differences between runs mean nothing"
        )
    if len(joint["latency_is"]) > 1:
        _write(
            f"note: latency is not the same in these runs ({'; '.join(joint['latency_is'])}), and the front compares it"
        )
    if not joint["same_installation"]:
        _write("note: the installations differ, which may shift components")


def _print_machines(run: Mapping[str, Any]) -> None:
    machines = run["machines"]
    names = [machine["name"] for machine in machines["machines"]]

    def text(latency: Mapping[str, Any] | None) -> str | None:
        if latency is None:
            return None
        mark = " unstable" if latency["verdict"] == "unstable" else ""
        return with_interval(latency) + mark

    print_table(
        ["key", "predicted", *names],
        [
            [
                row["key"][:KEY_DIGITS],
                None if row["predicted"] is None else f"~{number(row['predicted']['median'])}",
                *(text(row["measured"].get(name)) for name in names),
            ]
            for row in machines["rows"]
        ],
        title=f"Latency of networks of {run['run']}, ms",
        in_parts=True,
    )
    for machine in machines["machines"]:
        if machine["setting"]:
            setting = ", ".join(text for text in machine["setting"].values() if text)
            _write(f"{machine['name']}: {setting}")
    for pair in machines["agreement"]:
        tau = "-" if pair["kendall_tau"] is None else f"{pair['kendall_tau']:.2f}"
        ratio = "-" if pair["ratio"] is None else f"{pair['ratio']:.2f}"
        long = "as long as" if ratio == "1.00" else f"{ratio} times as long as"
        first, second = pair["between"]
        _write(
            f"{first} and {second}, {pair['networks']} networks: Kendall tau {tau}; {second} takes {long} "
            f"{first} (median)"
        )


def _short_names(paths: Sequence[str]) -> list[str]:
    """Return the last parts of each path, as many as tell the paths apart."""
    parts = [Path(path).parts for path in paths]
    for count in range(1, max(map(len, parts)) + 1):
        names = [str(Path(*part[-count:])) for part in parts]
        if len(set(names)) == len(set(paths)):
            return names
    return list(paths)


def _pairs(weights: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {weight:g}" for name, weight in weights.items()) or "the defaults"


def _write(text: str) -> None:
    print_text(printable(text, keep="\n"))
