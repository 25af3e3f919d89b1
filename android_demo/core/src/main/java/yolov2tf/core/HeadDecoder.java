package yolov2tf.core;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * From the raw head of a network to boxes and scores, for files exported with {@code --head raw}.
 *
 * <p>Does what {@code yolov2_tf.export.numpy_decoding.decode} does, for networks without a tree.
 */
final class HeadDecoder {
    private static final double MAX_LOG_SCALE = 10;
    private static final int BEFORE_CLASSES = 5; // x, y, width, height, objectness

    /** Four numbers for each box, as fractions of the network's square. */
    final FloatBuffer boxes;
    /** A number for each box and class; 0 where nothing can be above the threshold. */
    final FloatBuffer scores;

    private final float[] anchors;
    private final int rows;
    private final int columns;
    private final int classes;
    private final TensorInfo head;
    private final ByteBuffer bytes;
    private final FloatBuffer floats;
    private final double[] shares;

    /**
     * @param head what the file says of its output
     * @param values that output
     * @throws ModelException if the output is not that of a head of the layout
     */
    HeadDecoder(Layout layout, TensorInfo head, ByteBuffer values) throws ModelException {
        anchors = layout.anchors;
        classes = layout.classNames.size();
        int depth = anchors.length / 2 * (BEFORE_CLASSES + classes);
        int side = head.dimensions() == 4 ? head.side(1) : 0;
        boolean integers = head.type == TensorInfo.Type.INT8 && head.scale > 0;
        if (!head.hasShape(1, side, side, depth)
                || !integers && head.type != TensorInfo.Type.FLOAT32) {
            throw new ModelException("The model's output " + head + " should be FLOAT32 or INT8"
                    + " [1, S, S, " + depth + "]; " + layout.outputSettings() + ".");
        }
        this.head = head;
        rows = side;
        columns = side;
        bytes = integers ? values : null;
        floats = integers ? null : values.asFloatBuffer();
        int count = rows * columns * anchors.length / 2;
        boxes = FloatBuffer.allocate(4 * count);
        scores = FloatBuffer.allocate(classes * count);
        shares = new double[classes];
    }

    /**
     * Decodes what the network gave the last time.
     *
     * @param threshold scores up to this need not be told apart from 0
     */
    void decode(float threshold) {
        int width = BEFORE_CLASSES + classes;
        for (int box = 0, count = boxes.capacity() / 4; box < count; box++) {
            float objectness = (float) sigmoid(value(box * width + 4));
            if (objectness > threshold) {
                decodeBox(box, box * width);
                decodeScores(box, box * width + BEFORE_CLASSES, objectness);
            } else {
                for (int label = 0; label < classes; label++) {
                    scores.put(box * classes + label, 0);
                }
            }
        }
    }

    private void decodeBox(int box, int start) {
        int each = anchors.length / 2;
        int anchor = box % each;
        int cell = box / each;
        double x = (cell % columns + sigmoid(value(start))) / columns;
        double y = (cell / columns + sigmoid(value(start + 1))) / rows;
        double halfWidth = anchors[2 * anchor] * scale(value(start + 2)) / (2 * columns);
        double halfHeight = anchors[2 * anchor + 1] * scale(value(start + 3)) / (2 * rows);
        boxes.put(4 * box, (float) (y - halfHeight));
        boxes.put(4 * box + 1, (float) (x - halfWidth));
        boxes.put(4 * box + 2, (float) (y + halfHeight));
        boxes.put(4 * box + 3, (float) (x + halfWidth));
    }

    private void decodeScores(int box, int start, float objectness) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int label = 0; label < classes; label++) {
            largest = Math.max(largest, value(start + label));
        }
        double sum = 0;
        for (int label = 0; label < classes; label++) {
            shares[label] = Math.exp(value(start + label) - largest);
            sum += shares[label];
        }
        for (int label = 0; label < classes; label++) {
            scores.put(box * classes + label, objectness * (float) (shares[label] / sum));
        }
    }

    private float value(int index) {
        return floats != null ? floats.get(index)
                : (bytes.get(index) - head.zeroPoint) * head.scale;
    }

    private static double scale(float logarithm) {
        return Math.exp(Math.min(logarithm, MAX_LOG_SCALE));
    }

    private static double sigmoid(float x) {
        return 1 / (1 + Math.exp(-x));
    }
}
