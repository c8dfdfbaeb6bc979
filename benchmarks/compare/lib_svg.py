"""Plots as SVG, without anything but text: panels of bars, and lines over percentiles."""

import math
from xml.sax.saxutils import escape

COLOURS = ["#9aa0a6", "#1a73e8", "#188038", "#e37400", "#a142f4", "#c5221f", "#12858d", "#795548",
           "#3c4043", "#4285f4"]
STYLE = ("text{font-family:system-ui,sans-serif;font-size:12px;fill:#202124}"
         ".title{font-size:14px;font-weight:600}.small{font-size:11px;fill:#5f6368}"
         ".grid{stroke:#dadce0;stroke-width:1}")


class Drawing:
    def __init__(self):
        self.parts = []

    def text(self, x, y, content, anchor="start", kind=""):
        name = f' class="{kind}"' if kind else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{name}>'
                          f"{escape(content)}</text>")

    def rectangle(self, x, y, width, height, colour, opacity=1.0):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" '
                          f'height="{height:.1f}" fill="{colour}" fill-opacity="{opacity}"/>')

    def line(self, x1, y1, x2, y2):
        self.parts.append(f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" '
                          f'y2="{y2:.1f}"/>')

    def curve(self, points, colour):
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{text}" fill="none" stroke="{colour}" '
                          'stroke-width="2"/>')

    def document(self, width, height):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" '
                f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">\n'
                f'<style>{STYLE}</style>\n<rect width="100%" height="100%" fill="#fff"/>\n'
                + "\n".join(self.parts) + "\n</svg>\n")


def number(value):
    """Three digits that count, and a unit of thousands."""
    for limit, divisor, unit in ((1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if value >= limit:
            return f"{value / divisor:.3g}{unit}"
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def duration(us):
    return f"{us / 1000:.0f} ms" if us >= 1000 else f"{us:.0f} us" if us >= 1 else f"{us:g} us"


def bar_panels(title, panels, colours):
    """Horizontal bars, each panel on a scale of its own.

    panels: [(title, [(label, [part of the bar, ...], least, most)])]; parts get paler."""
    drawing, columns, width, gap = Drawing(), 3, 330, 24
    row, top, heights = 17, 50, [0, 0, 0]
    drawing.text(gap, 26, title, kind="title")
    for name, bars in panels:
        column = heights.index(min(heights))
        x, y = gap + column * (width + gap), top + heights[column]
        drawing.text(x, y + 12, name, kind="title")
        most = max((max(sum(parts), high) for _, parts, _, high in bars), default=0) or 1
        room = width - 110 - 62
        for i, (label, parts, low, high) in enumerate(bars):
            middle = y + 22 + i * row
            drawing.text(x + 104, middle + 11, label, "end")
            begin = x + 110
            for depth, part in enumerate(parts):
                drawing.rectangle(begin, middle + 1, part / most * room, row - 4, colours[label],
                                  1.0 if depth == 0 else 0.55)
                begin += part / most * room
            drawing.rectangle(x + 110 + low / most * room, middle + (row - 4) / 2,
                              (high - low) / most * room, 2, "#000", 0.6)  # the spread
            drawing.text(max(begin, x + 110 + high / most * room) + 4, middle + 11,
                         number(sum(parts)), kind="small")
        heights[column] += 22 + len(bars) * row + gap
    return drawing.document(columns * (width + gap) + gap, top + max(heights) + gap)


def percentile_lines(title, names, series, colours):
    """Lines on a logarithmic scale. series: {label: [value for each name]}"""
    drawing, width, height, left, top = Drawing(), 640, 340, 70, 50
    drawing.text(16, 26, title, kind="title")
    everything = [value for line in series.values() for value in line if value > 0]
    if not everything:
        return drawing.document(width + left + 160, height + top + 50)
    low = math.floor(math.log10(min(everything)))
    high = max(low + 1, math.ceil(math.log10(max(everything))))

    def place(i, value):
        share = (math.log10(max(value, 10 ** low)) - low) / (high - low)
        return left + width * i / (len(names) - 1), top + height * (1 - share)

    for power in range(low, high + 1):
        y = place(0, 10 ** power)[1]
        drawing.line(left, y, left + width, y)
        drawing.text(left - 8, y + 4, duration(10.0 ** power), "end", "small")
    for i, name in enumerate(names):
        drawing.text(place(i, 1)[0], top + height + 20, name, "middle", "small")
    for i, (label, line) in enumerate(series.items()):
        drawing.curve([place(j, value) for j, value in enumerate(line)], colours[label])
        drawing.rectangle(left + width + 20, top + i * 20, 12, 12, colours[label])
        drawing.text(left + width + 38, top + i * 20 + 10, label)
    return drawing.document(left + width + 170, top + height + 50)


def round_steps(most, count):
    """About `count` round numbers from 0 up to `most`."""
    rough = most / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (1, 2, 2.5, 5, 10) if digit * power >= rough)
    return [i * step for i in range(int(most / step) + 1)]


def value_lines(title, series, colours, form_x, form_y):
    """Lines from zero on. series: {label: [(x, y), ...]}; the forms make words of numbers."""
    drawing, width, height, left, top = Drawing(), 640, 340, 80, 50
    drawing.text(16, 26, title, kind="title")
    most_x = max(x for line in series.values() for x, _ in line) or 1
    most_y = max(y for line in series.values() for _, y in line) or 1

    def place(x, y):
        return left + width * x / most_x, top + height * (1 - y / most_y)

    for value in round_steps(most_y, 6):
        y = place(0, value)[1]
        drawing.line(left, y, left + width, y)
        drawing.text(left - 8, y + 4, form_y(value), "end", "small")
    for value in round_steps(most_x, 5):
        drawing.text(place(value, 0)[0], top + height + 20, form_x(value), "middle", "small")
    for i, (label, line) in enumerate(series.items()):
        drawing.curve([place(x, y) for x, y in line], colours[label])
        drawing.rectangle(left + width + 20, top + i * 20, 12, 12, colours[label])
        drawing.text(left + width + 38, top + i * 20 + 10, label)
    return drawing.document(left + width + 190, top + height + 50)
