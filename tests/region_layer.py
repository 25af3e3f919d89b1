"""Darknet's region layer (src/region_layer.c) by its formulas: what it sends back, in float64.

Written from the formulas, delta by delta, as the layer writes them: later truths overwrite what
earlier ones wrote. Signs are those of gradients, the negative of Darknet's `delta`.
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class RegionLayer:
    """One image at a time: `gradient(head, boxes, labels)` or `gradient_of_label(head, label)`.

    Args:
        anchors: `(k, 2)` in cells.
        tree: `WordTree` or None.
        **options: As those of `YOLOv2Loss`; `warming` pulls unmatched boxes to their priors.
    """

    def __init__(self, anchors, tree=None, warming=False, **options):
        self.anchors = np.asarray(anchors, float)
        self.tree, self.warming = tree, warming
        self.coord = options.get("coord_scale", 1.0)
        self.object = options.get("object_scale", 5.0)
        self.noobject = options.get("noobject_scale", 1.0)
        self.scale = options.get("class_scale", 1.0)
        self.ignore = options.get("ignore_iou", 0.6)
        self.rescore = options.get("rescore", True)
        self.weights = options.get("class_weights")
        self.among = options.get("box_classes")
        self.rule = options.get("image_rule", "paper")

    def gradient(self, head, boxes, labels):
        """`(S_h, S_w, k, 5 + C)` for an image with boxes `(M, 4)` and labels `(M,)`."""
        p, g = self._open(head)
        rows, columns, k, _ = p.shape
        truths = [(b.astype(float), int(c)) for b, c in zip(boxes, labels, strict=True) if c >= 0]
        for slot in np.ndindex(rows, columns, k):
            box = self._box(p, slot)
            best = max((iou(box, truth) for truth, _ in truths), default=0.0)
            s = sigmoid(p[slot][4])
            g[slot][4] = self.noobject * s * s * (1 - s) if best <= self.ignore else 0.0
            if self.warming:
                xy = sigmoid(p[slot][:2])
                g[slot][:2] = 0.01 * (xy - 0.5) * xy * (1 - xy)
                g[slot][2:4] = 0.01 * p[slot][2:4]
        for truth, label in truths:
            self._match(p, g, truth, label)
        return g

    def _match(self, p, g, truth, label):
        rows, columns = p.shape[:2]
        y_min, x_min, y_max, x_max = truth
        x, y = (x_min + x_max) / 2 * columns, (y_min + y_max) / 2 * rows
        w, h = x_max - x_min, y_max - y_min
        i, j = min(int(y), rows - 1), min(int(x), columns - 1)
        overlaps = []
        for p_w, p_h in self.anchors:
            both = min(w * columns, p_w) * min(h * rows, p_h)
            overlaps.append(both / (w * columns * h * rows + p_w * p_h - both))
        slot = (i, j, int(np.argmax(overlaps)))
        t, d = p[slot], g[slot]
        xy, s = sigmoid(t[:2]), sigmoid(t[4])
        wanted = np.log([w * columns, h * rows] / self.anchors[slot[2]])
        d[:2] = self.coord * (2 - w * h) * (xy - [x - j, y - i]) * xy * (1 - xy)
        d[2:4] = self.coord * (2 - w * h) * (t[2:4] - wanted)
        target = iou(self._box(p, slot), truth) if self.rescore else 1.0
        d[4] = self.object * (s - target) * s * (1 - s)
        self._class(t[5:], d[5:], label, self.among)

    def gradient_of_label(self, head, label):
        """The same for an image that has a label and no boxes."""
        p, g = self._open(head)
        slots = list(np.ndindex(p.shape[:3]))

        def probability(slot):
            named = 1.0 if self.rule == "object" else self._probability(p[slot][5:], label)
            return sigmoid(p[slot][4]) * named

        chosen = max(slots, key=probability)
        for slot in slots:
            s = sigmoid(p[slot][4])
            if slot == chosen:
                self._class(p[slot][5:], g[slot][5:], label, None)
                if self.rule != "darknet" and s < 0.3:
                    g[slot][4] = self.object * (s - 0.3) * s * (1 - s)
            elif self.rule == "darknet":
                g[slot][4] = self.noobject * s * s * (1 - s)
        return g

    # === Parts ===

    def _open(self, head):
        p = np.asarray(head, float)
        p = p.reshape(*p.shape[:2], len(self.anchors), -1)
        return p, np.zeros_like(p)

    def _box(self, p, slot):
        i, j, a = slot
        rows, columns = p.shape[:2]
        x, y = (j + sigmoid(p[slot][0])) / columns, (i + sigmoid(p[slot][1])) / rows
        w, h = self.anchors[a] * np.exp(p[slot][2:4]) / [columns, rows]
        return np.array([y - h / 2, x - w / 2, y + h / 2, x + w / 2])

    def _groups(self, label, classes):
        """The groups from the label up, each `(members, wanted)`."""
        if self.tree is None:
            return [(np.arange(classes), label)]
        groups = []
        while label >= 0:
            up = self.tree.parent[label]
            groups.append((np.flatnonzero(self.tree.parent == up), label))
            label = up
        return groups

    def _class(self, logits, delta, label, among):
        weight = self.scale if self.weights is None else self.scale * self.weights[label]
        if self.tree is None:
            delta[:] = 0
        for members, wanted in self._groups(label, len(logits)):
            kept = members if among is None else np.intersect1d(members, among)
            share = np.exp(logits[kept] - logits[kept].max())
            delta[members] = 0
            delta[kept] = weight * share / share.sum()
            delta[wanted] -= weight

    def _probability(self, logits, label):
        product = 1.0
        for members, wanted in self._groups(label, len(logits)):
            product /= np.exp(logits[members] - logits[wanted]).sum()
        return product


def iou(a, b):
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    both = np.prod(np.maximum(sides, 0))
    return both / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - both)
