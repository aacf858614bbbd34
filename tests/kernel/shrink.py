# SPDX-License-Identifier: BSD-2-Clause
"""Makes an episode on which the two sides differ as short as possible, and stores it as a scenario."""
import os
import re
import shlex

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenarios")
MOST = 3        # differences that are shortened; many have the same cause


def pieces(count):
    """Ranges of steps that may be superfluous: halves, quarters, ... single steps."""
    size, found = max(1, count // 2), []
    while True:
        found += [range(at, min(at + size, count)) for at in range(0, count, size)]
        if size == 1 or len(found) > 100:
            return found
        size //= 2


def still_bad(both, steps, leave_out):
    """
    [(steps that are left, what was left out)] for each of the sets LEAVE_OUT without which the sides still differ.
    """
    tries = [[step for n, step in enumerate(steps) if n not in out] for out in leave_out]
    bad = both.differences([[*t, "x"] for t in tries])
    return [(tries[n][:bad[n][0] + 1], leave_out[n]) for n in sorted(bad)]


def shrink(both, steps):
    """Two runs per round, each with all candidates: a kernel takes longer to start than to answer."""
    while True:
        alone = still_bad(both, steps, [set(p) for p in pieces(len(steps))])
        if not alone:
            return steps
        outs = sorted((out for _, out in alone), key=len, reverse=True)
        together = still_bad(both, steps, [set().union(*outs[:n]) for n in range(1, len(outs) + 1)])
        steps = min((left for left, _ in alone + together), key=len)
        print(f"  {len(steps)} steps", flush=True)


def device(name):
    return {"/dev/vda": '"$A"', "/dev/vdb": '"$B"'}.get(name, f"/dev/mapper/{name}")


def disks(words):
    """Shell words in which the disks are $A and $B."""
    return re.sub(r"'([^']*/dev/vd[^']*)'", r'"\1"', words).replace("/dev/vda", "$A").replace("/dev/vdb", "$B")


def as_shell(step):
    """The step in the words of scenarios."""
    w = shlex.split(step)
    return {
        "d": lambda: "t dmsetup " + disks(step[2:]),
        "t": lambda: "lines " + disks(step[2:]) + " >table",
        "r": lambda: f"look {device(w[1])} {w[2]} {w[3]}",
        "a": lambda: f"look {device(w[1])} 0 2000",
        "w": lambda: f"mark {device(w[1])} {w[2]} {w[3]} {w[4]}",
        "b": lambda: f"behind writer mark {device(w[1])} {w[2]} {w[3]} {w[4]}",
        "j": lambda: "ends writer",
        "D": lambda: f"t blkdiscard --offset $(({w[2]} * 512)) --length $(({w[3]} * 512)) {device(w[1])}",
        "Z": lambda: f"t blkdiscard --zeroout --offset $(({w[2]} * 512)) --length $(({w[3]} * 512)) {device(w[1])}",
        "z": lambda: f"size {device(w[1])}",
        "o": lambda: f"exec 9<{device(w[1])}",
        "c": lambda: "exec 9<&-",
        "x": lambda: "t dmsetup remove_all --force",
    }[w[0]]()


def scenario(steps, origin):
    return "\n".join(["# SPDX-License-Identifier: BSD-2-Clause", "# shellcheck shell=sh",
                      f"# Found by generate ({origin}).", *map(as_shell, steps)]) + "\n"


def tell(plan, bad):
    for n, (step, kernel, session) in sorted(bad.items()):
        print(f"episode {n}, step {step}: {plan[n][step]}")
        print("".join(f"  kernel:  {line}\n" for line in kernel) + "".join(f"  session: {line}\n" for line in session), end="")


def keep(both, plan, bad, seed):
    for n in sorted(bad)[:MOST]:
        print(f"episode {n} made short:", flush=True)
        steps = shrink(both, plan[n][:bad[n][0] + 1])
        os.makedirs(SCENARIOS, exist_ok=True)
        path = os.path.join(SCENARIOS, f"found-{seed}-{n}.sh")
        with open(path, "w", encoding="utf-8") as f:
            f.write(scenario(steps, f"seed {seed}, episode {n}"))
        print("\n".join("    " + s for s in steps) + f"\nkept as {path}", flush=True)
