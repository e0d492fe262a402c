"""A picture for each method: its paths over one small problem, drawn from docs/method_paths.csv, which examples/toy writes."""

import math
import pathlib

SIDE, REACH = 420, 3.0  # pixels; the picture shows -REACH..REACH
COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b"]  # of the tasks
LEVELS = [0.25, 1, 2.25, 4, 6.25]  # of a loss beyond its least, over its scale


class Pictures:
    def __init__(self, root):
        self.problems, self.paths = {}, {}
        for line in (pathlib.Path(root) / "docs/method_paths.csv").read_text(encoding="utf-8").splitlines():
            first, *cells = line.split(",")
            if first.startswith("#"):
                self.problems.setdefault(first[2:], []).append([float(cell) for cell in cells])
            else:
                points = [tuple(map(float, cell.split())) for cell in cells]
                self.paths.setdefault(first.split(":")[0], []).append(points)

    def problem_of(self, method):
        """Methods that need more tasks than two walk over the other problem: they are those that fail with two."""
        return "five" if method in ("krum", "trimmed_mean") else "two"

    def svg(self, method):
        bowls = self.problems[self.problem_of(method)]
        body = "".join(contours(bowl, colour) for bowl, colour in zip(bowls, COLOURS))
        if len(bowls) == 2:
            body += polyline(pareto_set(*bowls), "#888", 5, opacity=0.6)
        for bowl, colour in zip(bowls, COLOURS):
            x, y = place(bowl[0], bowl[1])
            body += f'<path d="M{x - 5:.1f} {y:.1f}h10M{x:.1f} {y - 5:.1f}v10" stroke="{colour}" stroke-width="2"/>'
        for path in self.paths[method]:
            body += polyline(path, "#111", 2)
            (x, y), (end_x, end_y) = place(*path[0]), place(*path[-1])
            body += f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#fff" stroke="#111" stroke-width="1.5"/>'
            body += f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="4" fill="#111"/>'
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}" height="{SIDE}" role="img">'
                f"<title>Paths of {method} from three starts</title>"
                f'<rect width="{SIDE}" height="{SIDE}" fill="#fff"/>{body}</svg>\n')

    def text(self, method):
        if self.problem_of(method) == "two":
            what = ("Two tasks, blue and red, with their minima (+) and lines of equal loss; red is five times as loud. In grey the points where "
                    "neither can fall without the other rising.")
        else:
            what = "Five tasks with their minima (+): four nearly agree, and one, three times as loud, does not."
        return (f"\n## How it walks\n\n![Paths of {method} from three starts]({method}.svg)\n\n{what} From each open circle 800 steps of Adam "
                f"with rate 0.01 lead to a full one. One small problem without noise: it shows how a method moves, not how good it is.\n")


def place(x, y):
    return (x + REACH) / (2 * REACH) * SIDE, (REACH - y) / (2 * REACH) * SIDE


def polyline(points, colour, width, opacity=1.0):
    text = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in points)
    return (f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-opacity="{opacity}" '
            'stroke-linejoin="round" stroke-linecap="round"/>')


def contours(bowl, colour):
    x, y, k1, k2, angle, _ = bowl
    centre_x, centre_y = place(x, y)
    scale = SIDE / (2 * REACH)
    return "".join(
        f'<ellipse cx="{centre_x:.1f}" cy="{centre_y:.1f}" rx="{math.sqrt(2 * level / k1) * scale:.1f}" '
        f'ry="{math.sqrt(2 * level / k2) * scale:.1f}" transform="rotate({-angle:g} {centre_x:.1f} {centre_y:.1f})" '
        f'fill="none" stroke="{colour}" stroke-opacity="0.25"/>'
        for level in LEVELS)


def curvature(bowl):
    """The matrix of a loss, without its scale: its points of least weighted sum do not depend on it."""
    _, _, k1, k2, angle, _ = bowl
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return k1 * c * c + k2 * s * s, (k1 - k2) * c * s, k1 * s * s + k2 * c * c


def pareto_set(first, second):
    """Where p H1 (x - m1) + (1 - p) H2 (x - m2) = 0, for p in [0, 1]."""
    points = []
    for step in range(101):
        p = step / 100
        matrix, right = [0.0, 0.0, 0.0], [0.0, 0.0]
        for weight, bowl in ((1 - p, first), (p, second)):
            a, b, d = (weight * entry for entry in curvature(bowl))
            matrix = [matrix[0] + a, matrix[1] + b, matrix[2] + d]
            right = [right[0] + a * bowl[0] + b * bowl[1], right[1] + b * bowl[0] + d * bowl[1]]
        a, b, d = matrix
        determinant = a * d - b * b
        points.append(((d * right[0] - b * right[1]) / determinant, (a * right[1] - b * right[0]) / determinant))
    return points
