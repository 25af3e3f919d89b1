package yolov2tf.core;

import java.util.Arrays;

/**
 * Makes the input of a network from pictures: bilinear, half-pixel centres, no antialiasing.
 *
 * <p>The one definition that training, evaluation and every exported form use; the numbers equal
 * those of {@code tf.image.resize} to the last bit. What depends on the size of the pictures is
 * kept, so frames of one size cost no allocation.
 */
public final class Resizer {
    private static final float PADDING = 127.5f; // the letterbox's bars: mid-grey

    private final int size;
    private final ResizeMode mode;
    private final float[] pixels;

    private int pictureWidth = -1;
    private int pictureHeight = -1;
    private Placement placement;
    private int[] columns; // the two neighbours of each new column, in turn
    private float[] across; // how far each new column is from the first of them
    private int[] rows;
    private float[] down;
    private float[] read; // pixels at the columns
    private float[] upper; // one row of new columns, above and below the new row
    private float[] lower;

    /**
     * @param size side of the network's input
     * @param mode how pictures become squares
     */
    public Resizer(int size, ResizeMode mode) {
        this.size = size;
        this.mode = mode;
        pixels = new float[size * size * 3];
    }

    /** Where the last picture lies in the square. */
    public Placement placement() {
        return placement;
    }

    /**
     * Resizes a picture.
     *
     * @return the square's pixels row by row, red, green, blue, 0..255; the next call
     *     overwrites them
     */
    public float[] resize(Picture picture) {
        if (picture.width() != pictureWidth || picture.height() != pictureHeight) {
            prepare(picture.width(), picture.height());
        }
        for (int y = 0; y < placement.height; y++) {
            readRow(picture, rows[2 * y], upper);
            readRow(picture, rows[2 * y + 1], lower);
            int next = 3 * ((placement.top + y) * size + placement.left);
            float weight = down[y];
            for (int i = 0; i < upper.length; i++) {
                pixels[next + i] = upper[i] + (lower[i] - upper[i]) * weight;
            }
        }
        return pixels;
    }

    private void readRow(Picture picture, int row, float[] result) {
        picture.read(row, columns, read);
        float[] read = this.read; // fields would be loaded anew for each pixel
        float[] across = this.across;
        for (int x = 0, next = 0, from = 0; x < across.length; x++, next += 3, from += 6) {
            float weight = across[x];
            result[next] = read[from] + (read[from + 3] - read[from]) * weight;
            result[next + 1] = read[from + 1] + (read[from + 4] - read[from + 1]) * weight;
            result[next + 2] = read[from + 2] + (read[from + 5] - read[from + 2]) * weight;
        }
    }

    private void prepare(int width, int height) {
        pictureWidth = width;
        pictureHeight = height;
        placement = new Placement(width, height, size, mode);
        columns = new int[2 * placement.width];
        across = new float[placement.width];
        neighbours(width, columns, across);
        rows = new int[2 * placement.height];
        down = new float[placement.height];
        neighbours(height, rows, down);
        read = new float[3 * columns.length];
        upper = new float[3 * placement.width];
        lower = new float[3 * placement.width];
        Arrays.fill(pixels, PADDING);
    }

    /** For each new pixel the two old ones it lies between, and how far from the first. */
    private static void neighbours(int old, int[] pairs, float[] weights) {
        float scale = (float) old / weights.length;
        for (int i = 0; i < weights.length; i++) {
            float position = (i + 0.5f) * scale - 0.5f;
            float low = (float) Math.floor(position);
            pairs[2 * i] = Math.max((int) low, 0);
            pairs[2 * i + 1] = Math.min((int) Math.ceil(position), old - 1);
            weights[i] = position - low;
        }
    }
}
