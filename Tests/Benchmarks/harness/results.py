"""Figures: medians, spreads and ratios of measurements, in text, JSON and Markdown."""
import dataclasses
import datetime
import os
import platform
import re
import statistics

OURS = "supervise"
# The figures in the README, by the start of their label.
HEADLINES = (
    "crash → replacement runs", "start of", "start to first", "master resident", "master private",
    "private memory per worker", "idle, 4", "1,000 workers with RSS caps: wakeups",
    "p99 while recycling ÷", "fewest ready", "failed requests while recycling (uv",
    "reload: failed requests (uv", "reload: most missing workers (uv",
    "reload: until all are new (uv", "upgrade in place", "counting", "past the RSS",
    "throughput as", "recycling all", "descriptors per")


@dataclasses.dataclass
class Measure:
    """One quantity, measured for several subjects in turns: sample i of each is from the same
    round."""
    label: str
    unit: str
    samples: dict
    target: str = ""
    floor: str = ""  # the subject that the others are compared with
    most_ratio: float = None  # limit on the ratio of supervise to the floor
    least_ratio: float = None
    most: float = None  # limit on the value of supervise
    least: float = None
    leads: bool = False  # whether the target requires that no peer is better
    higher_is_better: bool = False
    digits: int = 2
    note: str = ""
    ours: str = OURS
    not_peers: tuple = ()  # subjects that are neither supervise nor a peer

    def median(self, subject):
        return statistics.median(self.samples[subject])

    def ratios(self, subject):
        return [mine / base for mine, base
                in zip(self.samples[subject], self.samples.get(self.floor, [])) if base]

    def best_peer(self):
        peers = [subject for subject in self.samples
                 if not subject.startswith(OURS) and subject != self.floor
                 and subject not in self.not_peers]
        choose = max if self.higher_is_better else min
        return choose(peers, key=self.median) if peers else None

    def holds(self):
        """Returns whether the target is met, or None if there is no target or no measurement."""
        if self.ours not in self.samples:
            return None
        bounds = []
        ratio = statistics.median(self.ratios(self.ours)) if self.ratios(self.ours) else None
        if self.most_ratio is not None and ratio is not None:
            bounds.append(ratio <= self.most_ratio)
        if self.least_ratio is not None and ratio is not None:
            bounds.append(ratio >= self.least_ratio)
        if self.leads and self.best_peer():
            ours, peer = self.median(self.ours), self.median(self.best_peer())
            bounds.append(ours >= peer if self.higher_is_better else ours <= peer)
        if self.most is not None:
            bounds.append(self.median(self.ours) <= self.most)
        if self.least is not None:
            bounds.append(self.median(self.ours) >= self.least)
        return all(bounds) if bounds else None

    def number(self, value):
        return f"{value:,.{self.digits}f}"

    def text(self, subject):
        """Returns the median and the spread with the unit."""
        values = self.samples[subject]
        spread = f" ({self.number(min(values))}–{self.number(max(values))})" \
            if len(values) > 1 and min(values) != max(values) else ""
        return f"{self.number(self.median(subject))}{spread} {self.unit}".rstrip()

    def ratio_text(self, subject):
        ratios = self.ratios(subject)
        if not ratios or subject == self.floor:
            return ""
        return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"

    def json(self):
        return {"label": self.label, "unit": self.unit, "target": self.target,
                "holds": self.holds(), "floor": self.floor, "note": self.note,
                "subjects": {subject: {
                    "samples": values, "median": self.median(subject),
                    "least": min(values), "most": max(values),
                    "ratios_to_floor": self.ratios(subject)}
                    for subject, values in self.samples.items()}}


def machine():
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*:\s*(.+)", file.read(), re.M)
    name = model[1].strip() if model else platform.machine()
    return f"{os.cpu_count()} × {name}, Linux {platform.release().split('-')[0]}"


def today():
    return datetime.date.today().isoformat()


def verdict(measure):
    return {True: "yes", False: "**no**", None: ""}[measure.holds()]


def summary(measures):
    """Returns the README table, one line per measure."""
    lines = ["| figure | supervise | floor | ratio | best peer | target | holds |",
             "|---|---|---|---|---|---|---|"]
    for measure in measures:
        if measure.ours not in measure.samples:
            continue
        peer = measure.best_peer()
        floor = measure.floor if measure.floor in measure.samples else ""
        lines.append("| " + " | ".join([
            measure.label, measure.text(measure.ours), measure.text(floor) if floor else "",
            measure.ratio_text(measure.ours).split(" (")[0],
            f"{peer} {measure.number(measure.median(peer))}" if peer else "",
            measure.target, verdict(measure)]) + " |")
    return "\n".join(lines) + f"\n\n{machine()}, {today()}; median (least–most).\n"


def headlines(measures):
    chosen = [measure for measure in measures if measure.label.startswith(HEADLINES)
              and ("(light)" not in measure.label or "÷" in measure.label)]
    return summary(chosen).strip()


def details(measure):
    """Returns all subjects of a measure, best first."""
    lines = [f"**{measure.label}**" + (f": {measure.note}" if measure.note else ""), "",
             f"| | {measure.unit or 'number'} | × floor |", "|---|---|---|"]
    order = sorted(measure.samples, key=measure.median, reverse=measure.higher_is_better)
    lines += [f"| {subject} | {measure.text(subject)} | {measure.ratio_text(subject)} |"
              for subject in order]
    return "\n".join(lines) + "\n"
