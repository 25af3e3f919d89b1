package yolov2tf.core;

/** An upright RGB picture whose pixels are asked for when they are needed. */
public interface Picture {
    int width();

    int height();

    /**
     * Reads some pixels of one row.
     *
     * @param row the row, from the top
     * @param columns the columns wanted, from the left
     * @param rgb takes red, green and blue of each, 0..255; 3 × {@code columns.length} values
     */
    void read(int row, int[] columns, float[] rgb);
}
