package yolov2tf.core;

import java.nio.FloatBuffer;

/**
 * Non-maximum suppression for files exported with {@code --no-nms}.
 *
 * <p>Does what {@code yolov2_tf.export.postprocessing.non_max_suppression} does, in the same order.
 */
final class Suppression {
    private static final int CANDIDATES_PER_DETECTION = 4;

    private final Layout layout;
    private final TopScores candidates;

    Suppression(Layout layout) {
        this.layout = layout;
        candidates = new TopScores(CANDIDATES_PER_DETECTION * layout.maxDetections);
    }

    /**
     * Chooses detections.
     *
     * @param boxes all boxes, four numbers each
     * @param scores {@code columns} numbers for each box
     * @param columns number of classes, or 1 where each box has one label
     * @param labels gives the label of a candidate, from its place in {@code scores}
     * @param threshold scores must be above this
     * @param found takes the detections, as fractions of the network's square
     */
    void run(FloatBuffer boxes, FloatBuffer scores, int columns, Labels labels, float threshold,
            Detections found) {
        candidates.clear();
        for (int i = 0, count = scores.capacity(); i < count; i++) {
            float score = scores.get(i);
            if (score > threshold) {
                candidates.offer(score, i);
            }
        }
        candidates.sort();
        found.clear();
        int most = Math.min(layout.maxDetections, found.capacity());
        for (int i = 0; i < candidates.count() && found.count() < most; i++) {
            int index = candidates.index(i);
            int box = 4 * (index / columns);
            add(Placement.clip(boxes.get(box)), Placement.clip(boxes.get(box + 1)),
                    Placement.clip(boxes.get(box + 2)), Placement.clip(boxes.get(box + 3)),
                    labels.of(index), scores.get(index), found);
        }
    }

    private void add(float top, float left, float bottom, float right, int label, float score,
            Detections found) {
        for (int i = 0; i < found.count(); i++) {
            boolean rivals = !layout.perClass || found.label(i) == label;
            if (rivals && found.iou(i, top, left, bottom, right) > layout.iouThreshold) {
                return;
            }
        }
        found.add(top, left, bottom, right, label, score);
    }

    /** The label of a candidate. */
    interface Labels {
        int of(int scoreIndex);
    }
}
