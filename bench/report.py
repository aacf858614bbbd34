# SPDX-License-Identifier: BSD-2-Clause
"""The results as a table for people: figures, ratios, bars, and what has become worse."""
import bars

COLUMNS = ("dmuse", "nbdkit", "qemu", "nbdfuse", "zero", "linear", "library", "raw", "outside", "ephemeral", "state on disk")
TOLERANCE = {"full": 0.2, "quick": 0.35, "tiny": 9.0}   # shared machines are that noisy


def number(x):
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}"


def cell(row, column, cpu):
    if column not in row["values"]:
        return ""
    beside = f" ({cpu['values'][column]['median']:.1f})" if cpu and column in cpu["values"] else ""
    return number(row["values"][column]["median"]) + beside


def groups(rows):
    got = {}
    for row in rows.values():
        if not row["id"].endswith(".cpu") and row["values"]:
            got.setdefault(row["group"], []).append(row)
    return got


def table(rows):
    for group, members in groups(rows).items():
        columns = [c for c in COLUMNS if any(c in row["values"] for row in members)]
        beside = any(row["id"] + ".cpu" in rows for row in members)
        yield ""
        yield f"{group}{'  (CPU seconds of the server for a million requests)' if beside else ''}"
        many = len(columns) > 1
        yield "  " + " " * 42 + "".join(f"{c:>18}" for c in columns) + " " * 15 + ("dmuse is" if many else "")
        for row in members:
            cells = "".join(f"{cell(row, c, rows.get(row['id'] + '.cpu')):>18}" for c in columns)
            peer = bars.best_peer(row) or next(iter(row["ratios"]), None)
            against = f"  {row['ratios'][peer]:6.2f} x {peer}" if peer else ""
            yield f"  {row['name']:42}{cells}  {row['unit']:13}{against}"


def verdicts(judged, rows):
    if not judged:
        return
    yield ""
    yield "Bars"
    for b in judged:
        row = rows[b["id"]]
        what = {"value": row["unit"], "best": "times the better peer"}.get(b["what"], f"times {b['what']}")
        name = row["name"] if row["name"].startswith(row["group"]) else f"{row['group']}: {row['name']}"
        got = "not measured" if b["got"] is None else number(b["got"])
        most = f" (with nothing behind the transport: {number(b['transport'])})" if b["transport"] else ""
        yield f"  {'met ' if b['met'] else 'MISS'}  {got:>12} {b['how']} {number(b['limit'])} {what:24} {name}{most}"


def compared(row, old, same_machine):
    """The ratio to the old results: relative to the peer if there is one, else only on the same machine."""
    peer = bars.best_peer(old)
    if peer and peer in row["ratios"]:
        now, then = row["ratios"][peer], old["ratios"][peer]
    elif same_machine and "dmuse" in row["values"] and "dmuse" in old["values"]:
        now, then = (r["values"]["dmuse"]["median"] for r in (row, old))
    else:
        return None
    if now <= 0 or then <= 0:
        return None
    return now / then if row["better"] == "more" else then / now


def worse(results, last):
    """(row, ratio) of every figure that became worse by more than noise."""
    if not last:
        return
    same_machine = all(results["machine"][k] == last["machine"][k] for k in ("cpu", "cpus"))
    old = {row["id"]: row for row in last["rows"]}
    for row in results["rows"]:
        if row["id"] in old and row["values"] and old[row["id"]]["values"]:
            times = compared(row, old[row["id"]], same_machine)
            if times is not None and times < 1 / (1 + TOLERANCE[results["mode"]]):
                yield row, times


def since(results, last, last_name):
    if not last:
        return
    found = list(worse(results, last))
    percent = TOLERANCE[results["mode"]]
    yield ""
    yield f"Beside {last_name} ({last['versions']['commit']}, {last['when']}), beyond {percent:.0%} of noise:"
    for row, times in found:
        what = "as good"
        yield f"  WORSE  {times:5.2f} times {what}   {row['group']}: {row['name']}"
    if not found:
        yield "  nothing is worse"


def text(results, last, last_name):
    rows = {row["id"]: row for row in results["rows"]}
    m = results["machine"]
    lines = [f"{m['cpus']} CPUs ({m['cpu']}), {m['memory_mb']} MB, Linux {m['kernel']}",
             ", ".join(f"{k}: {v}" for k, v in results["versions"].items())]
    lines += [*table(rows), *verdicts(results["bars"], rows), *since(results, last, last_name)]
    if results["notes"]:
        lines += ["", "Notes", *("  " + note for note in results["notes"])]
    return "\n".join(lines)
