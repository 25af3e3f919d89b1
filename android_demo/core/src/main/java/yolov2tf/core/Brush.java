package yolov2tf.core;

/** What draws the instructions of a {@link DetectionPainter}: a canvas on Android, Java2D here. */
public interface Brush {
    /** Draws an outline. */
    void outline(float left, float top, float right, float bottom, float thickness, int argb);

    /** Fills a rectangle. */
    void fill(float left, float top, float right, float bottom, int argb);

    /** Writes a line of text. */
    void write(String text, float left, float baseline, float size, int argb);

    /** Width of a line of text. */
    float widthOf(String text, float size);
}
