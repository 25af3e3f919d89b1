package yolov2tf.core;

/** What was found in a picture, best first. Made once and filled again for every picture. */
public final class Detections {
    /** Else boxes without an area would overlap nothing, not even themselves. */
    private static final float LEAST_SIDE = 1e-4f;

    private final float[] boxes;
    private final int[] labels;
    private final float[] scores;
    private int count;
    private int pictureWidth;
    private int pictureHeight;

    /**
     * @param capacity the most detections it can hold
     */
    public Detections(int capacity) {
        boxes = new float[4 * capacity];
        labels = new int[capacity];
        scores = new float[capacity];
    }

    public int count() {
        return count;
    }

    /**
     * How many score above a threshold: the first ones, since the best come first.
     *
     * <p>They are what the network would have given with this threshold: a box is suppressed by
     * better ones alone, so what scores less changes nothing above.
     */
    public int countAbove(float threshold) {
        int above = 0;
        while (above < count && scores[above] > threshold) {
            above++;
        }
        return above;
    }

    public int label(int index) {
        return labels[index];
    }

    /** 0..1. */
    public float score(int index) {
        return scores[index];
    }

    /** Upper border, as a fraction of the picture's height. */
    public float top(int index) {
        return boxes[4 * index];
    }

    /** Left border, as a fraction of the picture's width. */
    public float left(int index) {
        return boxes[4 * index + 1];
    }

    public float bottom(int index) {
        return boxes[4 * index + 2];
    }

    public float right(int index) {
        return boxes[4 * index + 3];
    }

    /** Width of the picture they were found in, in pixels; 0 before there was one. */
    public int pictureWidth() {
        return pictureWidth;
    }

    /** Height of that picture. */
    public int pictureHeight() {
        return pictureHeight;
    }

    /** Takes over another's content, which must fit. */
    public void copy(Detections other) {
        count = other.count;
        pictureWidth = other.pictureWidth;
        pictureHeight = other.pictureHeight;
        System.arraycopy(other.boxes, 0, boxes, 0, 4 * count);
        System.arraycopy(other.labels, 0, labels, 0, count);
        System.arraycopy(other.scores, 0, scores, 0, count);
    }

    /**
     * Takes over another's detections of some classes, which must fit.
     *
     * @param wanted for each label whether it is one of them; null for all
     */
    public void copy(Detections other, boolean[] wanted) {
        copy(other);
        if (wanted == null) {
            return;
        }
        count = 0;
        for (int i = 0; i < other.count; i++) {
            int label = other.labels[i];
            if (label >= 0 && label < wanted.length && wanted[label]) {
                add(other.top(i), other.left(i), other.bottom(i), other.right(i), label,
                        other.scores[i]);
            }
        }
    }

    /** The most detections it can hold. */
    public int capacity() {
        return labels.length;
    }

    void clear() {
        count = 0;
    }

    void add(float top, float left, float bottom, float right, int label, float score) {
        boxes[4 * count] = top;
        boxes[4 * count + 1] = left;
        boxes[4 * count + 2] = bottom;
        boxes[4 * count + 3] = right;
        labels[count] = label;
        scores[count] = score;
        count++;
    }

    /** Ends the filling: boxes of the network's square become boxes of the picture. */
    void place(Placement placement, int width, int height) {
        placement.toPicture(boxes, count);
        pictureWidth = width;
        pictureHeight = height;
    }

    /**
     * Overlap of a box held here with another, as {@code yolov2_tf.boxes.iou} computes it, of boxes
     * at least {@link #LEAST_SIDE} high and wide.
     */
    float iou(int index, float top, float left, float bottom, float right) {
        float otherBottom = end(top(index), bottom(index));
        float otherRight = end(left(index), right(index));
        float below = end(top, bottom);
        float beyond = end(left, right);
        float height = Math.min(otherBottom, below) - Math.max(top(index), top);
        float width = Math.min(otherRight, beyond) - Math.max(left(index), left);
        float shared = Math.max(height, 0f) * Math.max(width, 0f);
        float areas = (otherBottom - top(index)) * (otherRight - left(index))
                + (below - top) * (beyond - left);
        return shared / (areas - shared + 1e-9f);
    }

    private static float end(float start, float end) {
        return Math.max(end, start + LEAST_SIDE);
    }
}
