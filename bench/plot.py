# SPDX-License-Identifier: BSD-2-Clause
"""The results as an SVG: a bar for each contestant of each row, and a mark at what must be reached."""
from html import escape

import bars
import report

COLOURS = {"dmuse": "#0b6e4f", "nbdkit": "#e08e45", "qemu": "#7d5ba6", "nbdfuse": "#c8553d", "zero": "#d5d9de",
           "linear": "#d5d9de", "library": "#d5d9de", "raw": "#b8bec6", "outside": "#b8bec6",
           "ephemeral": "#d5d9de", "state on disk": "#b8bec6"}
WIDTH, COLUMN, GAP = 1240, 590, 20      # two columns
LABEL, BARS, BAR, SPACE = 235, 240, 9, 9    # of a row: text, the longest bar, one bar's height and the room below a row
HEAD = 88
STYLE = ("text{font:11px 'DejaVu Sans',Helvetica,Arial,sans-serif;fill:#22272e}.t{font-size:20px;font-weight:bold}"
         ".g{font-size:12px;font-weight:bold}.s{fill:#57606a}"
         ".v{font-size:9px;paint-order:stroke;stroke:#fff;stroke-width:3px}")


def text(x, y, words, kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{escape(words)}</text>'


def rect(x, y, width, height, colour):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height}" rx="1.5" fill="{colour}"/>'


def target(row, judged):
    """The value at which this row's bar is reached, or None."""
    for b in judged:
        if b["id"] == row["id"] and b["got"] is not None:
            if b["what"] == "value":
                return b["limit"]
            return b["limit"] * row["values"][bars.against(row, b["what"])]["median"]
    return None


def row_height(row):
    return len(row["values"]) * (BAR + 1) + SPACE


def longest_value(row, judged):
    return max([v["median"] for v in row["values"].values()] + [target(row, judged) or 0])


def scale(row, members, judged):
    """The value that is drawn at full width. Rows of dmuse alone share it with others of their group and unit."""
    alike = [m for m in members if m["unit"] == row["unit"]] if len(row["values"]) == 1 else [row]
    return max(longest_value(m, judged) for m in alike) or 1


def draw_row(x, y, row, longest, judged):
    """Bars, the mark on them, and labels above."""
    them = [c for c in report.COLUMNS if c in row["values"]]
    wanted, words = target(row, judged), []
    words.append(text(x, y + len(them) * (BAR + 1) / 2 + 3.5, row["name"]))
    for n, c in enumerate(them):
        value, at = row["values"][c]["median"], y + n * (BAR + 1)
        length = max(value, 0) / longest * BARS
        yield rect(x + LABEL, at, length, BAR, COLOURS[c])
        unit = " " + row["unit"] if n == 0 else ""
        beside = f" · {row['ratios'][c]:.2f}×" if c in row["ratios"] and c in bars.PEERS else ""
        words.append(text(x + LABEL + length + 5, at + BAR - 1, report.number(value) + unit + beside,
                          "v" if n == 0 else "v s"))
    if wanted:
        mark = x + LABEL + wanted / longest * BARS
        yield (f'<line x1="{mark:.1f}" x2="{mark:.1f}" y1="{y - 3:.1f}" y2="{y + len(them) * (BAR + 1) + 2:.1f}" '
               'stroke="#d1242f" stroke-width="1.6"/>')
    yield from words


def group_height(members):
    return 34 + sum(map(row_height, members))


def draw_group(x, y, name, members, judged):
    yield text(x, y + 12, name, "g")
    yield f'<line x1="{x}" x2="{x + COLUMN}" y1="{y + 17}" y2="{y + 17}" stroke="#d0d7de"/>'
    y += 25
    for row in members:
        yield from draw_row(x, y, row, scale(row, members, judged), judged)
        y += row_height(row)


def header(results):
    m, v = results["machine"], results["versions"]
    yield text(GAP, 32, "dmuse beside its peers", "t")
    yield text(GAP, 52, f"{m['cpus']} CPUs ({m['cpu']}), Linux {m['kernel']}; {v['commit']}, {results['when']}; "
               "medians", "s")
    x = GAP
    for name in report.COLUMNS[:-1]:
        yield rect(x, 63, 10, 10, COLOURS[name])
        yield text(x + 14, 72, name)
        x += 34 + 7 * len(name)
    yield f'<line x1="{x + 3}" x2="{x + 3}" y1="61" y2="75" stroke="#d1242f" stroke-width="1.6"/>'
    yield text(x + 10, 72, "what is wanted;  2.00×: dmuse has two times that peer's figure")


def svg(results):
    rows = {row["id"]: row for row in results["rows"]}
    groups = report.groups(rows)
    half, heights, placed = sum(map(group_height, groups.values())) / 2, [HEAD, HEAD], []
    for name, members in groups.items():
        column = 0 if heights[0] - HEAD + group_height(members) / 2 < half else 1
        placed.extend(draw_group(GAP + column * (COLUMN + GAP), heights[column], name, members, results["bars"]))
        heights[column] += group_height(members)
    height = max(heights) + GAP
    size = f'width="{WIDTH}" height="{height}"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {size}>',
                      f"<style>{STYLE}</style>", f'<rect {size} fill="#ffffff"/>', *header(results), *placed,
                      "</svg>", ""])
