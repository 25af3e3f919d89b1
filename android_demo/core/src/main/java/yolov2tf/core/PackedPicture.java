package yolov2tf.core;

/** A picture of packed 0xAARRGGBB pixels, as bitmaps on Android and on the desktop give them. */
public final class PackedPicture implements Picture {
    private final int[] pixels;
    private final int width;
    private final int height;

    /**
     * Wraps pixels.
     *
     * @param pixels row by row from the top, not copied; alpha is ignored
     */
    public PackedPicture(int[] pixels, int width, int height) {
        if (width < 1 || height < 1 || pixels.length < width * height) {
            throw new IllegalArgumentException(
                    pixels.length + " pixels are no picture of " + width + "×" + height);
        }
        this.pixels = pixels;
        this.width = width;
        this.height = height;
    }

    @Override
    public int width() {
        return width;
    }

    @Override
    public int height() {
        return height;
    }

    @Override
    public void read(int row, int[] columns, float[] rgb) {
        int start = row * width;
        int next = 0;
        for (int column : columns) {
            int pixel = pixels[start + column];
            rgb[next++] = pixel >> 16 & 0xFF;
            rgb[next++] = pixel >> 8 & 0xFF;
            rgb[next++] = pixel & 0xFF;
        }
    }
}
