package yolov2tf.core;

/** Where a picture lies in the square that the network sees, and the way back for its boxes. */
public final class Placement {
    /** Side of the square in pixels. */
    public final int size;
    /** First row of the picture in the square; bars are above it. */
    public final int top;
    /** First column of the picture in the square. */
    public final int left;
    /** Height of the picture in the square. */
    public final int height;
    /** Width of the picture in the square. */
    public final int width;

    public Placement(int pictureWidth, int pictureHeight, int size, ResizeMode mode) {
        this.size = size;
        if (mode == ResizeMode.STRETCH) {
            width = size;
            height = size;
        } else {
            int longest = Math.max(pictureWidth, pictureHeight);
            width = inner(pictureWidth, longest);
            height = inner(pictureHeight, longest);
        }
        top = (size - height) / 2;
        left = (size - width) / 2;
    }

    /** Integers round the same way everywhere: (2·a·size + b) / 2b is a·size/b to the nearest. */
    private int inner(int side, int longest) {
        return (int) Math.max((2L * side * size + longest) / (2L * longest), 1);
    }

    /**
     * Turns boxes of the square into boxes of the picture, cut off at its borders.
     *
     * @param boxes {@code [y_min, x_min, y_max, x_max]} one after another, as fractions; changed
     * @param count how many boxes
     */
    public void toPicture(float[] boxes, int count) {
        float down = (float) height / size;
        float across = (float) width / size;
        float above = (float) top / size;
        float before = (float) left / size;
        for (int i = 0; i < 4 * count; i += 2) {
            boxes[i] = clip((boxes[i] - above) / down);
            boxes[i + 1] = clip((boxes[i + 1] - before) / across);
        }
    }

    static float clip(float fraction) {
        return Math.min(Math.max(fraction, 0f), 1f);
    }
}
