package yolov2tf.core;

/**
 * Colours of camera frames: JFIF's YCbCr (BT.601, full range), which is what Android's
 * {@code YUV_420_888} holds.
 *
 * <p>In the integers of libjpeg ({@code jdcolor.c}), so that a frame has the colours it would have
 * as a JPEG.
 */
final class YuvColor {
    private static final int BITS = 16;
    private static final int HALF = 1 << BITS - 1;
    private static final int RED_V = 91881; // 1.40200 · 2¹⁶
    private static final int GREEN_U = 22554; // 0.34414 · 2¹⁶
    private static final int GREEN_V = 46802; // 0.71414 · 2¹⁶
    private static final int BLUE_U = 116130; // 1.77200 · 2¹⁶

    /** Values from -LOWEST on, cut off at 0 and 255: a look-up costs less than two branches. */
    private static final int LOWEST = 256;

    private static final float[] CLAMPED = new float[3 * 256];

    static {
        for (int i = 0; i < CLAMPED.length; i++) {
            CLAMPED[i] = Math.max(0, Math.min(i - LOWEST, 255));
        }
    }

    private YuvColor() {}

    static float red(int y, int v) {
        return clamp(y + (RED_V * (v - 128) + HALF >> BITS));
    }

    static float green(int y, int u, int v) {
        return clamp(y + (HALF - GREEN_U * (u - 128) - GREEN_V * (v - 128) >> BITS));
    }

    static float blue(int y, int u) {
        return clamp(y + (BLUE_U * (u - 128) + HALF >> BITS));
    }

    private static float clamp(int value) {
        return CLAMPED[value + LOWEST];
    }
}
